import type { Command } from 'commander';
import { type CommandContext, toAction } from '../context.ts';
import { takeSuccess } from '../failure.ts';
import { findSource } from '../find-source.ts';
import { AcceptSchemaChangeDocument } from '../generated/graphql.ts';

/** What `--on-schema-change` can say. */
export const SCHEMA_CHOICES = { continue: 'CONTINUE', pause: 'PAUSE' } as const;

/** What `--read-mode` can say. */
export const READ_MODES = {
  auto: 'AUTO',
  'change-feed': 'CHANGE_FEED',
  cursor: 'CURSOR',
  snapshot: 'SNAPSHOT',
} as const;

/** Adds the command that lets a source go on that its schema has stopped. @param sources the command of sources. */
export function addAcceptSchemaCommand(sources: Command): void {
  sources
    .command('accept-schema')
    .description('Accept the changes of the schema that stop a source, and print its id.')
    .argument('<source>', 'id or name')
    .action(toAction(acceptSchema));
}

async function acceptSchema(
  { api, output }: CommandContext,
  _options: object,
  idOrName: string,
): Promise<undefined> {
  const { id, schemaChanges } = await findSource(api, idOrName);
  const { acceptSchemaChange } = await api.send(AcceptSchemaChangeDocument, { input: { id } });
  const { dataSource } = takeSuccess(acceptSchemaChange);
  const changes = schemaChanges?.isStopped ? schemaChanges.changes.map(({ message }) => message) : [];
  output.writeResult(dataSource, () => {
    output.say(
      changes.length === 0
        ? `No change of its schema stops the source ${dataSource.name}.`
        : `Accepted for the source ${dataSource.name}: ${changes.join(', ')}.`,
    );
    output.write(dataSource.id);
  });
}
