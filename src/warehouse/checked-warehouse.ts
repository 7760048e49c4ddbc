import { checkTable, parseStatement, pickParameters } from '../sql-check/checked-statement.ts';
import type { ReadingLimits } from '../sql-check/reading-limits.ts';
import type { SelectStatement, TableName, Warehouse } from './warehouse.ts';

/**
 * Lets only tables and statements that may be read reach a warehouse, whatever was checked before. A statement arrives
 * written anew, with exactly the parameters that it names.
 */
export function checkReads(warehouse: Warehouse, limits: ReadingLimits): Warehouse {
  const checked = (statement: SelectStatement): SelectStatement => {
    const { sql, parameterNames } = parseStatement(statement.sql, limits);
    return { ...statement, sql, parameters: pickParameters(parameterNames, statement.parameters) };
  };
  const allowed = (table: TableName): TableName => {
    checkTable(table, limits);
    return table;
  };
  return {
    describeTable: async (table, ...rest) => warehouse.describeTable(allowed(table), ...rest),
    countUnreadable: async (table, ...rest) => warehouse.countUnreadable(allowed(table), ...rest),
    countRows: async (statement, ...rest) => warehouse.countRows(checked(statement), ...rest),
    readRows: async (statement, ...rest) => warehouse.readRows(checked(statement), ...rest),
    close: () => warehouse.close(),
  };
}
