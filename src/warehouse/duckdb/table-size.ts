import { type DuckDBConnection, type DuckDBType, DuckDBTypeId } from '@duckdb/node-api';
import { asciiLowerCase } from '../../shared/ascii-case.ts';
import { WarehouseError } from '../warehouse.ts';
import type { Relation } from './relation-size.ts';
import { listInnerTypes } from './type.ts';
import { CELL, FIXED, largest, type Value } from './value-size.ts';

/** DuckDB takes twice as long to read a Parquet column for each list within a list: 0.1 s for 16, 4 s for 24, hours for 60. */
const MAX_LISTS_IN_PARQUET = 16;

/**
 * Reads how large the rows of a table can be from the types of its columns.
 * @param table its quoted name.
 * @throws WarehouseError STATEMENT_FAILED if it is a Parquet file with more lists within each other than can be read.
 */
export async function readTableSize(
  connection: DuckDBConnection,
  table: string,
  { isParquet }: { readonly isParquet: boolean },
): Promise<Relation> {
  const prepared = await connection.prepare(`SELECT * FROM ${table}`);
  for (let index = 0; isParquet && index < prepared.columnCount; index += 1) {
    const lists = countNestedLists(prepared.columnType(index));
    if (lists <= MAX_LISTS_IN_PARQUET) continue;
    const name = prepared.columnName(index);
    prepared.destroySync();
    throw new WarehouseError(
      'STATEMENT_FAILED',
      `The column ${name} has ${lists} lists or maps within each other, and ${MAX_LISTS_IN_PARQUET} can be read from Parquet: store it as text.`,
    );
  }
  const named = Array.from({ length: prepared.columnCount }, (_, index) => ({
    name: asciiLowerCase(prepared.columnName(index)),
    value: sizeOfType(prepared.columnType(index)),
  }));
  prepared.destroySync();
  return { column: largest(named.map(({ value }) => value)), named, tables: 1, columns: 0 };
}

/** Whether values of a type can be large: texts, bytes, lists, objects and maps. */
export function isLargeType(type: DuckDBType): boolean {
  return measureDepth(type) > 1 || LARGE_TYPES.has(type.typeId);
}

function sizeOfType(type: DuckDBType): Value {
  return isLargeType(type) ? { ...CELL, depth: measureDepth(type) } : FIXED;
}

/** Beside lists, objects and maps. */
const LARGE_TYPES: ReadonlySet<DuckDBTypeId> = new Set([
  ...[DuckDBTypeId.VARCHAR, DuckDBTypeId.BLOB, DuckDBTypeId.BIT, DuckDBTypeId.BIGNUM, DuckDBTypeId.GEOMETRY],
]);

function countNestedLists(type: DuckDBType): number {
  const isStruct = type.typeId === DuckDBTypeId.STRUCT;
  const inner = listInnerTypes(type);
  if (inner.length === 0) return 0;
  return Math.max(...inner.map(countNestedLists)) + (isStruct ? 0 : 1);
}

function measureDepth(type: DuckDBType): number {
  if (type.typeId === DuckDBTypeId.VARIANT) return 2;
  return 1 + Math.max(0, ...listInnerTypes(type).map(measureDepth));
}
