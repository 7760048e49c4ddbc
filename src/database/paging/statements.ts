import { toColumn } from '../columns.ts';
import { Prisma } from '../generated/prisma/client.ts';
import type { Key } from './paged-table.ts';
import { allOf, conditionsOf, type List, type Part, residualOf } from './plan.ts';

/** Where a read begins, and in which direction it goes. */
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
  const keys = keyColumns(list);
  // A column that is the same in all of the part would keep PostgreSQL from merging the runs.
  const [first, ...others] = list.key;
  const fields = value === null ? list.key : others;
  const order = orderOf(list, fields, isDescending);
  const isBegun = after !== null && (value === null || after[first ?? ''] === value);
  const conditions = [...list.bounds, ...(isBegun ? placedBehind(list, fields, after, isDescending) : [])];
  const matches = allOf(residualOf(list));
  const selects = runs.map(
    (run) => Prisma.sql`(select ${keys}, (${matches}) is true as matches from ${list.from}
      where ${allOf([...run, ...conditions])} order by ${order} limit ${limit})`,
  );
  return Prisma.sql`select * from (${Prisma.join(selects, ' union all ')}) as runs order by ${order} limit ${limit}`;
}

/**
 * Selects the first rows of a part that match, and the last that may be read whether or not it does.
 * @param limit how many to select.
 * @param most how many to read.
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
 * Selects what the shortcut finds, each row with whether it fits.
 * @param limit the most rows of each of its reads.
 */
export function selectShortcut(list: List, limit: number): Prisma.Sql {
  const selects = list.shortcut.map(
    (read) => Prisma.sql`(select ${keyColumns(list)}, ${conditionsOf(list)} is true as matches
      from ${list.from} ${read} limit ${limit})`,
  );
  return Prisma.join(selects, ' union all ');
}

/** Selects the first rows that fit of those that have been `found`. */
export function sortKeys(list: List, { after, isDescending }: Beginning, limit: number): Prisma.Sql {
  const behind = after === null ? [] : placedBehind(list, list.key, after, isDescending);
  return Prisma.sql`select * from found where ${allOf([Prisma.sql`matches`, ...behind])}
    order by ${orderOf(list, list.key, isDescending)} limit ${limit}`;
}

/**
 * Conditions for rows behind a key. Beside the comparison of whole keys, which an index begins a read at, the first column
 * is compared alone: PostgreSQL reconciles that with the bounds, and keeps what is narrower.
 */
function placedBehind(
  list: List,
  fields: readonly string[],
  key: Key,
  isDescending: boolean,
): readonly Prisma.Sql[] {
  const isBehind = Prisma.raw(isDescending ? '<' : '>');
  const columns = fields.map(list.keyColumn);
  const values = fields.map((field) => Prisma.sql`${key[field]}::${list.typeOf(field)}`);
  const wholes = Prisma.sql`(${Prisma.join(columns)}) ${isBehind} (${Prisma.join(values)})`;
  return fields.length === 1 ? [wholes] : [Prisma.sql`${columns[0]} ${isBehind}= ${values[0]}`, wholes];
}

function keyColumns({ key }: List): Prisma.Sql {
  return Prisma.raw(key.map((field) => `"${toColumn(field)}"`).join(', '));
}

function orderOf(list: List, fields: readonly string[], isDescending: boolean): Prisma.Sql {
  const direction = Prisma.raw(isDescending ? 'desc' : 'asc');
  return Prisma.join(fields.map((field) => Prisma.sql`${list.keyColumn(field)} ${direction}`));
}
