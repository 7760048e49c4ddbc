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
  /** Fewer than asked for at the end of the list, and where the next `MAX_ROWS_READ` rows hold no more that fit. */
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
export const MAX_ROWS_READ = 20_000;

/** How far rows are counted unless an exact number is asked for. */
export const MAX_ROWS_COUNTED = 10_000;

/** Reads lists as far as a clearance covers them. */
export interface KeysetReader {
  readPage<Row>(table: PagedTable<Row>, filter: RowFilter<Row>, range: KeyRange): Promise<KeyPage>;
  /** Counts up to `MAX_ROWS_COUNTED`. */
  count<Row>(table: PagedTable<Row>, filter: RowFilter<Row>): Promise<RowCount>;
  /** Counts every row, however long it takes. */
  countExactly<Row>(table: PagedTable<Row>, filter: RowFilter<Row>): Promise<number>;
}

/** @param prisma the client that sees what the clearance covers. */
export function createKeysetReader(prisma: PrismaClient, clearance: Marking): KeysetReader {
  return {
    async readPage(table, filter, range) {
      const list = describeList(table, filter, clearance);
      return readByIndex(
        prisma,
        async (database) =>
          (await readShortcut(database, list, range)) ?? (await readParts(database, list, range)),
      );
    },

    async count(table, filter) {
      const list = describeList(table, filter, clearance);
      return readByIndex(
        prisma,
        async (database) => (await countShortcut(database, list)) ?? (await countParts(database, list)),
      );
    },

    async countExactly(table, filter) {
      const list = describeList(table, filter, clearance);
      const [counted] = await prisma.$queryRaw<{ count: bigint }[]>`
        select count(*) as count from ${list.from} where ${conditionsOf(list)}`;
      return Number(counted?.count ?? 0);
    },
  };
}

/**
 * Reads by the indexes that the statements mean. Of a table that nobody has analyzed yet, as none is in an embedded database,
 * or for a limit in the thousands, the planner would rather read and sort it as a whole.
 */
function readByIndex<Result>(
  prisma: PrismaClient,
  read: (database: Prisma.TransactionClient) => Promise<Result>,
): Promise<Result> {
  return prisma.$transaction(async (transaction) => {
    await transaction.$queryRaw`select set_config('enable_seqscan', 'off', true),
      set_config('enable_bitmapscan', 'off', true), set_config('enable_sort', 'off', true), set_config('jit', 'off', true)`;
    return read(transaction);
  });
}

async function readParts(database: Prisma.TransactionClient, list: List, range: KeyRange): Promise<KeyPage> {
  const parts = await planParts(database, list, range);
  const rows: KeyRow[] = [];
  for (const part of parts) {
    const limit = range.size + 1 - rows.length;
    if (residualOf(list).length === 0) {
      rows.push(...(await database.$queryRaw<KeyRow[]>(selectPart(list, part, range, limit))));
    } else {
      const { matching, end } = await readMatching(database, list, part, range, limit, parts.length);
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
  database: Prisma.TransactionClient,
  list: List,
  part: Part,
  range: KeyRange,
  limit: number,
  parts: number,
): Promise<{ matching: readonly KeyRow[]; end: Key | null }> {
  const most = Math.floor(MAX_ROWS_READ / parts);
  const rows = await database.$queryRaw<(KeyRow & { matches: boolean; place: bigint })[]>(
    selectMatching(list, part, range, limit, most),
  );
  const last = rows.at(-1);
  return {
    matching: rows.filter(({ matches }) => matches),
    end: last !== undefined && Number(last.place) === most ? toKey(list, last) : null,
  };
}

async function countParts(database: Prisma.TransactionClient, list: List): Promise<RowCount> {
  const everything = { after: null, isDescending: false };
  const parts = await planParts(database, list, everything);
  const most = Math.floor(MAX_ROWS_READ / parts.length);
  let total = 0;
  for (const part of parts) {
    const limit = MAX_ROWS_COUNTED + 1 - total;
    const [counted] = await database.$queryRaw<{ count: number; isCutOff: boolean }[]>(
      residualOf(list).length === 0
        ? Prisma.sql`select count(*)::int as count, false as "isCutOff"
            from (${selectPart(list, part, everything, limit)}) as counted`
        : Prisma.sql`select count(*) filter (where matches)::int as count,
            coalesce(bool_or(place = ${most}), false) as "isCutOff"
            from (${selectMatching(list, part, everything, limit, most)}) as counted`,
    );
    total += counted?.count ?? 0;
    if (total > MAX_ROWS_COUNTED) return toCount(total);
    if (counted?.isCutOff) return { count: total, isExact: false };
  }
  return toCount(total);
}

/** Null where there is no shortcut, or it finds many rows. */
async function readShortcut(
  database: Prisma.TransactionClient,
  list: List,
  range: KeyRange,
): Promise<KeyPage | null> {
  if (list.shortcut.length === 0) return null;
  const rows = await database.$queryRaw<(KeyRow & { isFew: boolean; matches: boolean | null })[]>`
    with found as materialized (${selectShortcut(list, MAX_ROWS_READ + 1)})
    select (select count(*) from found) <= ${MAX_ROWS_READ} as "isFew", page.*
    from (values (true)) as always left join (${sortKeys(list, range, range.size + 1)}) as page on true`;
  if (rows[0]?.isFew !== true) return null;
  return toPage(
    list,
    rows.filter(({ matches }) => matches),
    range,
  );
}

/** Null where there is no shortcut, or it finds many rows. */
async function countShortcut(database: Prisma.TransactionClient, list: List): Promise<RowCount | null> {
  if (list.shortcut.length === 0) return null;
  const [counted] = await database.$queryRaw<{ found: number; matching: number }[]>`
    select count(*)::int as found, count(*) filter (where matches)::int as matching
    from (${selectShortcut(list, MAX_ROWS_READ + 1)}) as found`;
  return counted === undefined || counted.found > MAX_ROWS_READ ? null : toCount(counted.matching);
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
  return { count: Math.min(counted, MAX_ROWS_COUNTED), isExact: counted <= MAX_ROWS_COUNTED };
}
