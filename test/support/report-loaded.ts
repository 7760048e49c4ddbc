import { registerHooks } from 'node:module';

// Loaded before a program by --import: writes the address of each module that it loads.
registerHooks({
  load(url, context, nextLoad) {
    process.stderr.write(`loaded ${url}\n`);
    return nextLoad(url, context);
  },
});
