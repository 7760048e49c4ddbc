import { composeStatement, readParts } from '../sql-check/checked-statement.ts';
import {
  type AllowedTable,
  allowFailedStatement,
  type CheckedSql,
  type CheckedStatement,
  type PartRange,
  type TablePart,
} from '../warehouse/warehouse.ts';
import { RowCountError } from './counted-read.ts';
import { type ReadContext, readAll } from './plan-parts.ts';

/** Rows to split. */
export interface RowsToSplit {
  readonly statement: CheckedStatement;
  /** Equal for rows that must stay together. */
  readonly key: CheckedSql;
  readonly rowCount: number;
}

/** Some of the rows. */
export interface SplitRows {
  readonly statement: CheckedStatement;
  readonly total: number;
}

/**
 * Splits rows by the parts of their table, such as its files, so that none is read more than once.
 * @returns null where the parts cannot be shared evenly, or have keys in common.
 * @throws RowCountError if other rows are found than were counted.
 */
export async function splitByParts(
  context: ReadContext,
  table: AllowedTable,
  { statement, key, rowCount }: RowsToSplit,
  wanted: number,
): Promise<readonly SplitRows[] | null> {
  const { warehouse, version, signal } = context;
  if (warehouse.findParts === undefined || version === null) return null;
  // The parts of a statement are those of its only table.
  if (statement.tables.length !== 1) return null;
  const groups = groupParts(await warehouse.findParts(table, version, signal), wanted);
  if (groups.some(({ bytes }) => bytes > MAX_SHARE / wanted)) return null;

  const found: (SplitRows & { readonly keys: number })[] = [];
  for (const { range } of groups) {
    const counted = await countKeys(context, statement, key, range);
    if (counted === null) return null;
    found.push({ ...counted, statement: readParts(statement, range) });
  }
  const total = found.reduce((sum, { total: rows }) => sum + rows, 0);
  if (total !== rowCount) throw new RowCountError(rowCount, total);
  if (found.some(({ total: rows }) => rows > (MAX_SHARE * rowCount) / wanted)) return null;
  // A key of several groups would count once in each of them.
  const all = await countKeys(context, statement, key, null);
  if (all === null || found.reduce((sum, { keys }) => sum + keys, 0) !== all.keys) return null;
  return found;
}

/** How much larger than an equal share a group can be: the hash of a column shares rows more evenly, but each reads all. */
const MAX_SHARE = 1.5;

/** Counts the rows of some parts and their different keys; null if these are too many for the warehouse. */
async function countKeys(
  context: ReadContext,
  statement: CheckedStatement,
  key: CheckedSql,
  range: PartRange | null,
): Promise<{ readonly total: number; readonly keys: number } | null> {
  const counting = composeStatement`SELECT COUNT(*) AS total, COUNT(DISTINCT ${key}) AS keys FROM (${statement})`;
  const rows = await readAll(context, range === null ? counting : readParts(counting, range)).catch(
    allowFailedStatement,
  );
  if (rows === null) return null;
  return { total: Number(rows[0]?.total), keys: Number(rows[0]?.keys) };
}

interface PartGroup {
  readonly range: PartRange;
  /** Its share of the bytes of all parts. */
  readonly bytes: number;
}

/** Groups consecutive parts into at most `wanted` groups whose largest is as small as can be. */
export function groupParts(parts: readonly TablePart[], wanted: number): readonly PartGroup[] {
  const sum = parts.reduce((total, { bytes }) => total + bytes, 0);
  let [low, high] = [Math.max(0, ...parts.map(({ bytes }) => bytes)), sum];
  while (low < high) {
    const most = Math.floor((low + high) / 2);
    if (cutAt(parts, most).length <= wanted) high = most;
    else low = most + 1;
  }
  return cutAt(parts, low).map(({ first, end, bytes }) => ({
    range: { first, end },
    bytes: sum === 0 ? 0 : bytes / sum,
  }));
}

/** Cuts parts into groups of at most so many bytes, which no single part exceeds. */
function cutAt(parts: readonly TablePart[], most: number) {
  const groups: { first: number; end: number; bytes: number }[] = [];
  for (const [place, { bytes }] of parts.entries()) {
    const last = groups.at(-1);
    if (last !== undefined && last.bytes + bytes <= most) {
      last.bytes += bytes;
      last.end = place + 1;
    } else groups.push({ first: place, end: place + 1, bytes });
  }
  return groups;
}
