import { type DuckDBConnection, type DuckDBType, DuckDBTypeId } from '@duckdb/node-api';
import { WarehouseError } from '../warehouse.ts';
import { listInnerTypes } from './type.ts';

/** DuckDB takes twice as long to read a Parquet column for each list within a list: 0.1 s for 16, 4 s for 24, hours for 60. */
const MAX_LISTS = 16;

/**
 * Checks the columns of a Parquet file before they are read.
 * @param table its quoted name.
 * @throws WarehouseError STATEMENT_FAILED if it has more lists within each other than can be read.
 */
export async function checkNestedLists(connection: DuckDBConnection, table: string): Promise<void> {
  const prepared = await connection.prepare(`SELECT * FROM ${table}`);
  const columns = Array.from({ length: prepared.columnCount }, (_, index) => ({
    name: prepared.columnName(index),
    type: prepared.columnType(index),
    lists: countNestedLists(prepared.columnType(index)),
  }));
  prepared.destroySync();
  const special = columns.find(({ type }) => hasSpecialField(type));
  if (special !== undefined)
    throw new WarehouseError(
      'STATEMENT_FAILED',
      `The column ${special.name} has a field __proto__, whose values cannot be read: rename it.`,
    );
  const deep = columns.find(({ lists }) => lists > MAX_LISTS);
  if (deep === undefined) return;
  throw new WarehouseError(
    'STATEMENT_FAILED',
    `The column ${deep.name} has ${deep.lists} lists or maps within each other, and ${MAX_LISTS} can be read from Parquet: store it as text.`,
  );
}

/** Whether a type has a field that the bindings of the engine lose, because it is special in JavaScript. */
function hasSpecialField(type: DuckDBType): boolean {
  const isSpecial = type.typeId === DuckDBTypeId.STRUCT && type.entryNames.includes('__proto__');
  return isSpecial || listInnerTypes(type).some(hasSpecialField);
}

function countNestedLists(type: DuckDBType): number {
  const inner = listInnerTypes(type);
  if (inner.length === 0) return 0;
  return Math.max(...inner.map(countNestedLists)) + (type.typeId === DuckDBTypeId.STRUCT ? 0 : 1);
}
