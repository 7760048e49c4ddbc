import { Command } from 'commander';
import { version } from '../shared/version.ts';
import { addBackupCommands } from './commands/backup.ts';
import { addCatalogCommand } from './commands/catalog.ts';
import { addControlCommands } from './commands/control.ts';
import { addItemCommands } from './commands/items.ts';
import { addJobCommands } from './commands/jobs.ts';
import { addSourceCommands } from './commands/sources.ts';
import { addStartCommands } from './commands/start.ts';
import { addWhoAmICommand } from './commands/whoami.ts';
import { EXIT_CODE_MEANINGS } from './exit-code.ts';

/** Creates the command `blade` with all its commands and options. */
export function createProgram(): Command {
  const program = new Command('blade')
    .description('Start, watch and control BLADE Ingestion jobs.')
    .option('--url <url>', 'address of the API (default: BLADE_URL or http://127.0.0.1:4000/graphql)')
    .option(
      '--token <token>',
      'token or API key (default: BLADE_TOKEN); other users of this machine can see it',
    )
    .option('--token-file <path>', 'file that holds the token or API key (default: BLADE_TOKEN_FILE)')
    .option('--json', 'write JSON: one document, or one object per line while watching')
    .version(version)
    .addHelpText('after', `\nThe options above work with every command.\n\n${formatExitCodes()}`)
    .exitOverride();
  addStartCommands(program);
  addJobCommands(program);
  addControlCommands(program);
  addSourceCommands(program);
  addItemCommands(program);
  addCatalogCommand(program);
  addBackupCommands(program);
  addWhoAmICommand(program);
  return program;
}

function formatExitCodes(): string {
  const lines = Object.entries(EXIT_CODE_MEANINGS).map(([code, meaning]) => `  ${code.padEnd(4)} ${meaning}`);
  return ['Exit codes:', ...lines].join('\n');
}
