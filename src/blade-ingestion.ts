#!/usr/bin/env node
// The command of the package: starts the server, or manages API keys. It must load in an old Node.js, too, to say so there.

const LEAST_NODE = 24;

const USAGE = `Usage: blade-ingestion         starts the server, as the environment configures it
       blade-ingestion keys …  makes, lists and revokes API keys\n`;

const [command, ...rest] = process.argv.slice(2);
if (Number(process.versions.node.split('.')[0]) < LEAST_NODE) {
  process.stderr.write(
    `blade-ingestion needs Node.js ${LEAST_NODE} or newer, and this is ${process.version}: install it from https://nodejs.org, or run it by npx --package node@${LEAST_NODE} --package blade-ingestion blade-ingestion\n`,
  );
  process.exitCode = 1;
} else if (command === undefined) {
  await import('./main.ts');
} else if (command === 'keys') {
  process.argv.splice(2, process.argv.length, ...rest);
  await import('./keys.ts');
} else {
  const asksForHelp = command === '--help' || command === '-h';
  (asksForHelp ? process.stdout : process.stderr).write(USAGE);
  process.exitCode = asksForHelp ? 0 : 1;
}

export {};
