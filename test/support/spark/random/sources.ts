import type { ApiClient } from '../../api-client.ts';
import type { Chance } from '../../chance.ts';
import { addSource } from '../../tables.ts';
import type { TableLife } from './table-life.ts';

/** The sources of a run, by their UUIDs. */
export type Sources = ReadonlyMap<
  string,
  { readonly life: TableLife; readonly dataType: string; readonly name: string }
>;

const DATA_TYPES = ['sortie', 'maintenance', 'deployment', 'logistics'] as const;
const READ_MODES = ['AUTO', 'CHANGE_FEED', 'CURSOR', 'SNAPSHOT'] as const;

/** Adds a source for each data type to each table, so that each has its own items: together they read in every mode. */
export async function addSources(
  client: ApiClient,
  lives: readonly TableLife[],
  chance: Chance,
): Promise<Sources> {
  const sources = new Map();
  for (const life of lives) {
    const turn = chance.below(READ_MODES.length);
    for (const [index, dataType] of DATA_TYPES.entries()) {
      const readMode = READ_MODES[(index + turn) % READ_MODES.length] ?? 'AUTO';
      const name = `${life.name} ${dataType}`;
      const id = await addSource(
        { client },
        {
          ...{ name, dataType, readMode, tableName: life.name, catalogName: 'spark_catalog' },
          cursorColumn: readMode === 'CURSOR' || chance.below(2) === 0 ? 'updated_at' : null,
          deletePolicy: chance.oneOf(['KEEP', 'MARK', 'REMOVE', 'REMOVE']),
          maxDeletePercent: chance.oneOf([1, 20, 60, 100, 100]),
        },
      );
      sources.set(id, { life, dataType, name });
    }
  }
  return sources;
}
