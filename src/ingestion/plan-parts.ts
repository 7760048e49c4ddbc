import type { DataTypes } from '../data-types/data-types.ts';
import type { SchemaPattern } from '../sql-check/allowed-schemas.ts';
import { compose, composeStatement } from '../sql-check/checked-statement.ts';
import type {
  AllowedTable,
  CheckedSql,
  CheckedStatement,
  Row,
  TableReader,
  Warehouse,
} from '../warehouse/warehouse.ts';
import type { CheckedPlan, PartitionInput, PlannedPartition } from './partition-task.ts';

export type TableInput = Extract<PartitionInput, { kind: 'TABLE' }>;

/** What to read, whose table and filter were checked. */
export type CheckedInput = Omit<TableInput, 'table' | 'filter'> & {
  readonly table: AllowedTable;
  readonly filter: CheckedSql | null;
};

export type CheckedPartition = PlannedPartition<CheckedPlan> & { readonly totalItems: number };

/** The warehouse to plan with, and the signal that interrupts its statements. */
export interface PlanContext {
  readonly warehouse: Warehouse;
  readonly allowedSchemas: readonly SchemaPattern[];
  readonly dataTypes: DataTypes;
  /** No watermark may pass this time; null for no limit. */
  readonly latestWatermark: Date | null;
  /** Whether the source has items whose ids are derived from all columns of their rows; left out if nobody knows. */
  readonly hasDerivedIds?: () => Promise<boolean>;
  readonly signal: AbortSignal;
}

export interface ReadContext extends PlanContext {
  /** Reads the version that is planned. */
  readonly reader: TableReader;
  /** Null for tables without versions. */
  readonly version: string | null;
}

/** Reads all rows of a statement that returns few. */
export async function readAll({ reader, signal }: ReadContext, statement: CheckedStatement): Promise<Row[]> {
  const options = { batchSize: SMALL_RESULT, resumeAfter: null, signal };
  const all: Row[] = [];
  for await (const { rows } of (await reader.readRows(statement, options)).batches) all.push(...rows);
  return all;
}

const SMALL_RESULT = 256;

export function toText(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value);
}

export function selectRows(
  input: CheckedInput,
  conditions: readonly CheckedSql[],
  limit: number | null,
): CheckedStatement {
  const limited = limit === null ? compose`` : compose` LIMIT ${limit}`;
  return composeStatement`SELECT * FROM ${composeSource(input, conditions)}${limited}`;
}

export function composeSource(
  { table, filter }: CheckedInput,
  conditions: readonly CheckedSql[],
): CheckedSql {
  const [first, ...others] = filter === null ? conditions : [filter, ...conditions];
  if (first === undefined) return compose`${table}`;
  return others.reduce((left, right) => compose`${left} AND ${right}`, compose`${table} WHERE ${first}`);
}

/** What a plan says about the cursor of its source. */
export type CursorFacts = Pick<
  Extract<CheckedPlan, { kind: 'STATEMENT' }>,
  'watermark' | 'cursor' | 'warning'
>;

export const NO_CURSOR: CursorFacts = { watermark: null };

export function toPlannedPartition(
  statement: CheckedStatement,
  rowCount: number,
  facts: CursorFacts,
): CheckedPartition {
  const { watermark, cursor, warning } = facts;
  const found = { watermark, ...(cursor && { cursor }), ...(warning !== undefined && { warning }) };
  const unknown = { version: null, tableVersion: null, read: null, measure: null, deletes: null };
  const plan = { kind: 'STATEMENT', statement, ...found, rowCount, ...unknown } as const;
  return { plan, totalItems: rowCount };
}
