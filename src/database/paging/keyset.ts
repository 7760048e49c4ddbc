import type { Marking } from '../../data-types/marking.ts';
import { toColumn } from '../columns.ts';
import { Prisma, type PrismaClient } from '../generated/prisma/client.ts';
import type { Key, PagedTable, RowFilter } from './paged-table.ts';
import { conditionsOf, describeList, type List, type Part, planParts, residualOf } from './plan.ts';
import { selectMatching, selectPart, selectShortcut, sortKeys } from './statements.ts';

// Pages are read by keyset: the key of the last row of one page is where the next begins, in an index that is already in
// the order of the list. Prisma's cursors do not do that. With an order of several columns they send no LIMIT and cut
// the page out of everything behind the cursor in memory, and a cursor whose row is deleted finds nothing.

/** The part of a list that is read. */
export interface KeyRange {
  /** Where it begins, behind the row of this key; null for the beginning of the list. */
  readonly after: Key | null;
  readonly isDescending: boolean;
  /** The most keys to give. */
  readonly size: number;
}

export interface KeyPage {
  /** Fewer than asked for at the end of the list, and where the next `MOST_ROWS_READ` rows hold no more that fit. */
  readonly keys: readonly Key[];
  /** Where to read on; null where the list ends with the page. */
  readonly next: { readonly after: Key | null } | null;
}

export interface RowCount {
  readonly count: number;
  /** False where there may be more. */
  readonly isExact: boolean;
}

/** How many rows are read at most to find those that meet conditions which no index helps with. */
export const MOST_ROWS_READ = 20_000;

/** How far rows are counted unless an exact number is asked for. */
export const MOST_ROWS_COUNTED = 10_000;

/** Reads lists as far as a clearance covers them. */
export interface KeysetReader {
  readPage<Row>(table: PagedTable<Row>, filter: RowFilter<Row>, range: KeyRange): Promise<KeyPage>;
  /** Counts up to `MOST_ROWS_COUNTED`. */
  count<Row>(table: PagedTable<Row>, filter: RowFilter<Row>): Promise<RowCount>;
  /** Counts every row, however long it takes. */
  countExactly<Row>(table: PagedTable<Row>, filter: RowFilter<Row>): Promise<number>;
}

/** @param prisma the client that sees what the clearance covers. */
export function createKeysetReader(prisma: PrismaClient, clearance: Marking): KeysetReader {
  return {
    async readPage(table, filter, range) {
      const list = describeList(table, filter, clearance);
      return (await readShortcut(prisma, list, range)) ?? (await readParts(prisma, list, range));
    },

    async count(table, filter) {
      const list = describeList(table, filter, clearance);
      return (await countShortcut(prisma, list)) ?? (await countParts(prisma, list));
    },

    async countExactly(table, filter) {
      const list = describeList(table, filter, clearance);
      const [counted] = await prisma.$queryRaw<{ count: bigint }[]>`
        select count(*) as count from ${list.from} where ${conditionsOf(list)}`;
      return Number(counted?.count ?? 0);
    },
  };
}

async function readParts(prisma: PrismaClient, list: List, range: KeyRange): Promise<KeyPage> {
  const parts = await planParts(prisma, list, range);
  const rows: KeyRow[] = [];
  for (const part of parts) {
    const limit = range.size + 1 - rows.length;
    if (residualOf(list).length === 0) {
      rows.push(...(await prisma.$queryRaw<KeyRow[]>(selectPart(list, part, range, limit))));
    } else {
      const { matching, end } = await readMatching(prisma, list, part, range, limit, parts.length);
      rows.push(...matching);
      if (end !== null && rows.length <= range.size)
        return { keys: rows.map((row) => toKey(list, row)), next: { after: end } };
    }
    if (rows.length > range.size) break;
  }
  return toPage(list, rows, range);
}

/**
 * @param parts how many parts share in the rows that may be read.
 * @returns the rows that fit, and where the read ended before the part did.
 */
async function readMatching(
  prisma: PrismaClient,
  list: List,
  part: Part,
  range: KeyRange,
  limit: number,
  parts: number,
): Promise<{ matching: readonly KeyRow[]; end: Key | null }> {
  const most = Math.floor(MOST_ROWS_READ / parts);
  const rows = await readByIndex<KeyRow & { matches: boolean; place: bigint }>(
    prisma,
    selectMatching(list, part, range, limit, most),
  );
  const last = rows.at(-1);
  return {
    matching: rows.filter(({ matches }) => matches),
    end: last !== undefined && Number(last.place) === most ? toKey(list, last) : null,
  };
}

async function countParts(prisma: PrismaClient, list: List): Promise<RowCount> {
  const everything = { after: null, isDescending: false };
  const parts = await planParts(prisma, list, everything);
  const most = Math.floor(MOST_ROWS_READ / parts.length);
  let total = 0;
  for (const part of parts) {
    const limit = MOST_ROWS_COUNTED + 1 - total;
    const isIndexed = residualOf(list).length === 0;
    const [counted] = isIndexed
      ? await prisma.$queryRaw<PartCount[]>`select count(*)::int as count, false as "isCutOff"
          from (${selectPart(list, part, everything, limit)}) as counted`
      : await readByIndex<PartCount>(
          prisma,
          Prisma.sql`select count(*) filter (where matches)::int as count,
            coalesce(bool_or(place = ${most}), false) as "isCutOff"
            from (${selectMatching(list, part, everything, limit, most)}) as counted`,
        );
    total += counted?.count ?? 0;
    if (total > MOST_ROWS_COUNTED) return toCount(total);
    if (counted?.isCutOff) return { count: total, isExact: false };
  }
  return toCount(total);
}

interface PartCount {
  readonly count: number;
  /** Whether there were more rows to read. */
  readonly isCutOff: boolean;
}

/** Null where there is no shortcut, or it finds many rows. */
async function readShortcut(prisma: PrismaClient, list: List, range: KeyRange): Promise<KeyPage | null> {
  if (list.shortcut.length === 0) return null;
  const rows = await readByIndex<KeyRow & { isFew: boolean; matches: boolean | null }>(
    prisma,
    Prisma.sql`with found as materialized (${selectShortcut(list, MOST_ROWS_READ + 1)})
      select (select count(*) from found) <= ${MOST_ROWS_READ} as "isFew", page.*
      from (values (true)) as always left join (${sortKeys(list, range, range.size + 1)}) as page on true`,
  );
  return rows[0]?.isFew
    ? toPage(
        list,
        rows.filter(({ matches }) => matches),
        range,
      )
    : null;
}

/** Null where there is no shortcut, or it finds many rows. */
async function countShortcut(prisma: PrismaClient, list: List): Promise<RowCount | null> {
  if (list.shortcut.length === 0) return null;
  const [counted] = await readByIndex<{ found: number; matching: number }>(
    prisma,
    Prisma.sql`select count(*)::int as found, count(*) filter (where matches)::int as matching
      from (${selectShortcut(list, MOST_ROWS_READ + 1)}) as found`,
  );
  return counted === undefined || counted.found > MOST_ROWS_READ ? null : toCount(counted.matching);
}

/** Reads by the indexes that a statement means: a limit in the thousands tempts the planner to sort a whole table. */
async function readByIndex<Row>(prisma: PrismaClient, statement: Prisma.Sql): Promise<Row[]> {
  const [, rows] = await prisma.$transaction([
    prisma.$queryRaw`select set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
      set_config('enable_sort', 'off', true), set_config('jit', 'off', true)`,
    prisma.$queryRaw<Row[]>(statement),
  ]);
  return rows;
}

/** The columns of a key, and others beside. */
type KeyRow = Readonly<Record<string, unknown>>;

function toKey({ key }: List, row: KeyRow): Key {
  return Object.fromEntries(key.map((field) => [field, row[toColumn(field)] as Key[string]]));
}

/** @param rows one more than the page where the list goes on behind it. */
function toPage(list: List, rows: readonly KeyRow[], { after, size }: KeyRange): KeyPage {
  const keys = rows.slice(0, size).map((row) => toKey(list, row));
  return { keys, next: rows.length > size ? { after: keys.at(-1) ?? after } : null };
}

function toCount(counted: number): RowCount {
  return { count: Math.min(counted, MOST_ROWS_COUNTED), isExact: counted <= MOST_ROWS_COUNTED };
}
