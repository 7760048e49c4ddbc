#!/usr/bin/env node
// The command of the package: starts the server, manages API keys, or backs up and restores. It must load even in an old Node.js, to report that.
import { checkNodeVersion } from './shared/old-node.ts';

const USAGE = `Usage: blade-ingestion               starts the server, as the environment configures it
       blade-ingestion keys …        creates, lists and revokes API keys
       blade-ingestion backup FILE   backs up the embedded database and catalog while no server runs
       blade-ingestion restore FILE  restores a backup into an empty data folder\n`;

const [command, ...rest] = process.argv.slice(2);
const problem = checkNodeVersion('blade-ingestion');
if (problem !== null) {
  process.stderr.write(`${problem}\n`);
  process.exitCode = 1;
} else if (command === undefined) {
  await import('./main.ts');
} else if (command === 'keys') {
  process.argv.splice(2, process.argv.length, ...rest);
  await import('./keys.ts');
} else if (command === 'backup' || command === 'restore') {
  await import('./backups.ts');
} else {
  const asksForHelp = command === '--help' || command === '-h';
  (asksForHelp ? process.stdout : process.stderr).write(USAGE);
  process.exitCode = asksForHelp ? 0 : 1;
}
