import { toColumn } from '../columns.ts';
import { Prisma } from '../generated/prisma/client.ts';
import type { Key } from './paged-table.ts';
import { joinConditions, joinListConditions, type List, listResidualConditions, type Part } from './plan.ts';

/** Where a read begins, and its direction. */
interface Beginning {
  readonly after: Key | null;
  readonly isDescending: boolean;
}

/** Selects the first rows of a part of a list, each with whether it meets the residual conditions. */
export function selectPart(
  list: List,
  { value, runs }: Part,
  { after, isDescending }: Beginning,
  limit: number,
): Prisma.Sql {
  const keys = selectKeyColumns(list);
  // A column that is equal in the whole part would keep PostgreSQL from merging the runs.
  const [first, ...others] = list.key;
  const fields = value === null ? list.key : others;
  const order = formatOrder(list, fields, isDescending);
  const isBegun = after !== null && (value === null || after[first ?? ''] === value);
  const conditions = [...list.bounds, ...(isBegun ? compareWithKey(list, fields, after, isDescending) : [])];
  const matches = joinConditions(listResidualConditions(list));
  const selects = runs.map(
    (run) => Prisma.sql`(select ${keys}, (${matches}) is true as matches from ${list.from}
      where ${joinConditions([...run, ...conditions])} order by ${order} limit ${limit})`,
  );
  return Prisma.sql`select * from (${Prisma.join(selects, ' union all ')}) as runs order by ${order} limit ${limit}`;
}

/**
 * Selects the first matching rows of a part, and the last row that may be read, whether or not it matches.
 * @param limit the most rows to select.
 * @param most the most rows to read.
 */
export function selectMatching(
  list: List,
  part: Part,
  beginning: Beginning,
  limit: number,
  most: number,
): Prisma.Sql {
  return Prisma.sql`select * from (
      select *, row_number() over () as place from (${selectPart(list, part, beginning, most)}) as rows
    ) as numbered where matches or place = ${most} limit ${limit}`;
}

/**
 * Selects what the shortcut finds, each row with whether it matches.
 * @param limit the most rows of each of its reads.
 */
export function selectShortcut(list: List, limit: number): Prisma.Sql {
  const selects = list.shortcut.map(
    (read) => Prisma.sql`(select ${selectKeyColumns(list)}, ${joinListConditions(list)} is true as matches
      from ${list.from} ${read} limit ${limit})`,
  );
  return Prisma.join(selects, ' union all ');
}

/** Selects the first matching rows of those that were `found`. */
export function sortKeys(list: List, { after, isDescending }: Beginning, limit: number): Prisma.Sql {
  const behind = after === null ? [] : compareWithKey(list, list.key, after, isDescending);
  return Prisma.sql`select * from found where ${joinConditions([Prisma.sql`matches`, ...behind])}
    order by ${formatOrder(list, list.key, isDescending)} limit ${limit}`;
}

/**
 * Creates conditions for rows after a key. Besides whole keys, which tell an index where to begin, the first column is
 * compared alone: PostgreSQL combines that with the bounds, and uses the narrower one.
 */
function compareWithKey(
  list: List,
  fields: readonly string[],
  key: Key,
  isDescending: boolean,
): readonly Prisma.Sql[] {
  const isBehind = Prisma.raw(isDescending ? '<' : '>');
  const columns = fields.map(list.quoteKeyColumn);
  const values = fields.map((field) => Prisma.sql`${key[field]}::${list.findType(field)}`);
  const wholes = Prisma.sql`(${Prisma.join(columns)}) ${isBehind} (${Prisma.join(values)})`;
  return fields.length === 1 ? [wholes] : [Prisma.sql`${columns[0]} ${isBehind}= ${values[0]}`, wholes];
}

function selectKeyColumns({ key }: List): Prisma.Sql {
  return Prisma.raw(key.map((field) => `"${toColumn(field)}"`).join(', '));
}

function formatOrder(list: List, fields: readonly string[], isDescending: boolean): Prisma.Sql {
  const direction = Prisma.raw(isDescending ? 'desc' : 'asc');
  return Prisma.join(fields.map((field) => Prisma.sql`${list.quoteKeyColumn(field)} ${direction}`));
}
