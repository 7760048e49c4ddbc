import { type DuckDBConnection, type DuckDBType, DuckDBTypeId } from '@duckdb/node-api';
import { asciiLowerCase } from '../../shared/ascii-case.ts';
import type { TableName } from '../warehouse.ts';
import type { Relation } from './relation-size.ts';
import { quoteName } from './text.ts';
import { CELL, FIXED, largest, type Value } from './value-size.ts';

/** What the rows of tables are like, by the three parts of their names in lower case with dots between them. */
export async function readTableSizes(
  connection: DuckDBConnection,
  tables: readonly TableName[],
): Promise<ReadonlyMap<string, Relation>> {
  const sizes = new Map<string, Relation>();
  for (const { catalog, schema, table } of tables) {
    const name = [catalog, schema, table];
    const prepared = await connection.prepare(`SELECT * FROM ${name.map(quoteName).join('.')}`);
    const named = Array.from({ length: prepared.columnCount }, (_, index) => ({
      name: asciiLowerCase(prepared.columnName(index)),
      value: sizeOfType(prepared.columnType(index)),
    }));
    prepared.destroySync();
    const column = largest(named.map(({ value }) => value));
    sizes.set(asciiLowerCase(name.join('.')), { column, named, tables: 1, columns: 0 });
  }
  return sizes;
}

function sizeOfType(type: DuckDBType): Value {
  const depth = depthOf(type);
  return depth > 1 ? { ...CELL, depth } : LARGE_TYPES.has(type.typeId) ? CELL : FIXED;
}

/** Beside lists, objects and maps. */
const LARGE_TYPES: ReadonlySet<DuckDBTypeId> = new Set([
  ...[DuckDBTypeId.VARCHAR, DuckDBTypeId.BLOB, DuckDBTypeId.BIT, DuckDBTypeId.BIGNUM, DuckDBTypeId.GEOMETRY],
]);

function depthOf(type: DuckDBType): number {
  switch (type.typeId) {
    case DuckDBTypeId.LIST:
    case DuckDBTypeId.ARRAY:
      return 1 + depthOf(type.valueType);
    case DuckDBTypeId.MAP:
      return 1 + Math.max(depthOf(type.keyType), depthOf(type.valueType));
    case DuckDBTypeId.STRUCT:
      return 1 + Math.max(...type.entryTypes.map(depthOf));
    case DuckDBTypeId.UNION:
      return 1 + Math.max(...type.memberTypes.map(depthOf));
    case DuckDBTypeId.VARIANT:
      return 2;
    default:
      return 1;
  }
}
