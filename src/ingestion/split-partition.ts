import { bindParameter, compose, composeStatement } from '../sql-check/checked-statement.ts';
import { findColumn } from '../warehouse/find-column.ts';
import {
  allowFailedStatement,
  type CheckedSql,
  type CheckedStatement,
  type TableColumn,
} from '../warehouse/warehouse.ts';
import { RowCountError } from './counted-read.ts';
import { composeItemId } from './item-id-sql.ts';
import {
  type CheckedInput,
  type CheckedPartition,
  type PlanContext,
  type ReadContext,
  readAll,
  toPlannedPartition,
} from './plan-parts.ts';
import { splitByParts } from './split-by-parts.ts';

/**
 * Splits a large read into partitions that can run in parallel: by the parts of its table, or else by the hash of a column.
 * Each row is in exactly one of them, rows of one id are in the same, and their sizes are about equal. A limited read is not
 * split, and neither is one whose ids the warehouse cannot compare.
 */
export async function splitPartition(
  context: ReadContext,
  input: CheckedInput,
  columns: readonly TableColumn[],
  whole: CheckedPartition,
): Promise<readonly CheckedPartition[]> {
  const column = findPartitionColumn(context, input, columns);
  const partitionRows = input.partitionRows ?? chooseDefaultRows(context);
  const wanted = Math.min(MAX_PARTITIONS, Math.ceil(whole.totalItems / partitionRows));
  if (wanted < 2 || column === null || input.maxItems !== null || whole.plan.kind !== 'STATEMENT')
    return [whole];

  const { statement } = whole.plan;
  const facts = whole.plan;
  const key = compose`COALESCE(${composeItemId(column)}, '')`;
  const parts = await splitByParts(
    context,
    input.table,
    { statement, key, rowCount: whole.totalItems },
    wanted,
  );
  if (parts !== null)
    return parts.map(({ statement: part, total }) => toPlannedPartition(part, total, facts));
  const bucket = compose`SUBSTRING(MD5(${key}), 1, 2)`;
  const counted = await countBuckets(context, statement, bucket);
  if (counted === null) return [whole];
  const sum = counted.reduce((rowCount, { total }) => rowCount + total, 0);
  if (sum !== whole.totalItems) throw new RowCountError(whole.totalItems, sum);
  return groupBuckets(counted, wanted).map(({ after, last, total }) =>
    toPlannedPartition(
      composeStatement`SELECT * FROM (${statement}) WHERE ${bucket} > ${bindParameter('after_bucket', after)} AND ${bucket} <= ${bindParameter('last_bucket', last)}`,
      total,
      facts,
    ),
  );
}

interface Bucket {
  readonly name: string;
  readonly total: number;
}

/** Counts the rows of each bucket; null if the warehouse cannot write the ids as text, such as one that is an object. */
async function countBuckets(
  context: ReadContext,
  statement: CheckedStatement,
  bucket: CheckedSql,
): Promise<readonly Bucket[] | null> {
  const rows = await readAll(
    context,
    composeStatement`SELECT ${bucket} AS bucket, COUNT(*) AS total FROM (${statement}) GROUP BY ${bucket}`,
  ).catch(allowFailedStatement);
  if (rows === null) return null;
  return rows.map(({ bucket: name, total }) => ({ name: String(name), total: Number(total) }));
}

/**
 * Unless the job says otherwise, only tables whose version is checked are split: those that have none would be read at
 * several moments, and each partition of a warehouse that keeps versions is another scan to pay for.
 */
function chooseDefaultRows({ version, warehouse }: ReadContext): number {
  return version === null || warehouse.history !== undefined ? Number.POSITIVE_INFINITY : PARTITION_ROWS;
}

/** Half a minute's work for one thread: fewer rows do not justify another scan. */
const PARTITION_ROWS = 500_000;

/** The most partitions of a source. Each scans the whole table, so more of them cost the warehouse more. */
const MAX_PARTITIONS = 16;

function findPartitionColumn(
  { dataTypes }: PlanContext,
  { dataType, cursorColumn }: CheckedInput,
  columns: readonly TableColumn[],
): string | null {
  const wanted = [
    ...(dataTypes.find(dataType)?.identifyingColumns ?? []),
    ...(cursorColumn === null ? [] : [cursorColumn]),
  ];
  for (const name of wanted) {
    const found = findColumn(columns, name);
    if (found !== undefined) return found.name;
  }
  return null;
}

interface BucketGroup {
  /** The group starts after this bucket. */
  readonly after: string;
  readonly last: string;
  readonly total: number;
}

/** Groups the buckets, in the order of their names, into at most `wanted` groups of about equal totals. */
export function groupBuckets(buckets: readonly Bucket[], wanted: number): readonly BucketGroup[] {
  const sorted = buckets.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  const groups: BucketGroup[] = [];
  let rest = sorted.reduce((sum, { total }) => sum + total, 0);
  let after = '';
  let groupTotal = 0;
  sorted.forEach(({ name, total }, index) => {
    groupTotal += total;
    const isLast = index === sorted.length - 1;
    if (!isLast && groupTotal < rest / (wanted - groups.length)) return;
    // The last group is open, so that it includes rows that were added since the count.
    groups.push({ after, last: isLast ? LAST_BUCKET : name, total: groupTotal });
    rest -= groupTotal;
    after = name;
    groupTotal = 0;
  });
  return groups;
}

const LAST_BUCKET = 'ff';
