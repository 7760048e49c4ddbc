import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { addControlCommands } from './commands/control.ts';
import { addItemCommands } from './commands/items.ts';
import { addJobCommands } from './commands/jobs.ts';
import { addSourceCommands } from './commands/sources.ts';
import { addStartCommands } from './commands/start.ts';
import { addWhoAmICommand } from './commands/whoami.ts';
import { exitCodeMeanings } from './exit-code.ts';

/** The command `blade` with all its commands and options. */
export function createProgram(): Command {
  const program = new Command('blade')
    .description('Starts, watches and ends jobs of BLADE Ingestion.')
    .option('--url <url>', 'where the API is (BLADE_URL; http://127.0.0.1:4000/graphql when neither is set)')
    .option('--token <token>', 'token or API key (BLADE_TOKEN); others on this machine can see an option')
    .option('--token-file <path>', 'file that holds the token or API key (BLADE_TOKEN_FILE)')
    .option('--json', 'write JSON: one document, or one object a line for what is watched')
    .version(versionOf())
    .addHelpText('after', `\nThe options above go with every command.\n\n${exitCodeHelp()}`)
    .exitOverride();
  addStartCommands(program);
  addJobCommands(program);
  addControlCommands(program);
  addSourceCommands(program);
  addItemCommands(program);
  addWhoAmICommand(program);
  return program;
}

function exitCodeHelp(): string {
  const lines = Object.entries(exitCodeMeanings).map(([code, meaning]) => `  ${code.padEnd(4)} ${meaning}`);
  return ['Exit codes:', ...lines].join('\n');
}

function versionOf(): string {
  const path = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}
