import type { Command } from 'commander';
import { type CommandContext, toAction } from '../context.ts';
import type { ExitCode } from '../exit-code.ts';
import { takeSuccess } from '../failure.ts';
import { RepairCatalogDocument } from '../generated/graphql.ts';
import {
  addStartOptions,
  addWatchOptions,
  type StartOptions,
  toStartInput,
  type WatchOptions,
} from '../option-values.ts';
import { reportStart } from './control.ts';

/** Adds the command that repairs the catalog. */
export function addCatalogCommand(program: Command): void {
  const catalog = program.command('catalog').description('Repair the catalog.');
  const repair = catalog
    .command('repair')
    .description(
      'Compare every uploaded item with the catalog, upload what is missing or different, and print the job id.',
    );
  addStartOptions(addWatchOptions(repair)).action(toAction(repairCatalog));
}

async function repairCatalog(
  context: CommandContext,
  options: WatchOptions & StartOptions,
): Promise<ExitCode | undefined> {
  const input = toStartInput(options);
  const { repairCatalog } = await context.api.send(RepairCatalogDocument, { input });
  return reportStart(context, options, takeSuccess(repairCatalog));
}
