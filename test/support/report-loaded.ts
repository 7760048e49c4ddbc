import { registerHooks } from 'node:module';

// Loaded into a program with --import: prints the address of each module that it loads.
registerHooks({
  load(url, context, nextLoad) {
    process.stderr.write(`loaded ${url}\n`);
    return nextLoad(url, context);
  },
});
