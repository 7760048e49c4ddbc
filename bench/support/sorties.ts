import type { BladeItem } from '../../src/data-types/blade-item.ts';
import { sortie } from '../../src/data-types/sortie.ts';
import { createTransform } from '../../src/ingestion/transform.ts';
import { ANY_SCHEMA } from '../../src/sql-check/allowed-schemas.ts';
import { allowTable, composeStatement } from '../../src/sql-check/checked-statement.ts';
import { openFolderWarehouse } from '../../src/warehouse/duckdb/open.ts';
import { createSortieTable } from '../../test/support/sortie-table.ts';

export const SORTIES = { catalog: 'blade', schema: 'field', table: 'sortie' };

/** Fewer of them, as which a program is warmed up. */
export const FEW_SORTIES = { ...SORTIES, table: 'few_sorties' };

/** Makes a table of sorties: real flight records, 15 columns. */
export function createSorties(folder: string, rows: number, table = SORTIES): Promise<void> {
  return createSortieTable({ folder, table, rows });
}

/** The items that a sync makes of the table, a batch at a time. */
export async function* readItems(folder: string, batchSize: number): AsyncGenerator<readonly BladeItem[]> {
  const warehouse = await openFolderWarehouse({ folder });
  const transform = createTransform({
    dataType: sortie,
    sourceMetadata: { data_source: 'Sorties', source_table: 'blade.field.sortie' },
  });
  try {
    const { batches } = await warehouse.readRows(
      composeStatement`SELECT * FROM ${allowTable(SORTIES, ANY_SCHEMA)}`,
      { batchSize, resumeAfter: null, signal: new AbortController().signal },
    );
    for await (const { rows } of batches) {
      yield rows.map((row) => {
        const outcome = transform(row);
        if (!outcome.ok) throw new Error(outcome.message);
        return outcome.item;
      });
    }
  } finally {
    await warehouse.close();
  }
}
