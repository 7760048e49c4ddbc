import type { Marking } from '../../data-types/marking.ts';
import { toColumn } from '../columns.ts';
import { Prisma, type PrismaClient } from '../generated/prisma/client.ts';
import type { Key, PagedTable, RowFilter } from './paged-table.ts';
import {
  describeList,
  joinListConditions,
  type List,
  listResidualConditions,
  type Part,
  planParts,
} from './plan.ts';
import { selectMatching, selectPart, selectShortcut, sortKeys } from './statements.ts';

// Pages are read by keyset: the next page begins after the key of the last row of a page, in an index in the order of the
// list. Prisma's cursors do not do that: with an order of several columns, they send no LIMIT and take the page from all rows
// after the cursor in memory, and a cursor whose row was deleted finds nothing. Without a cursor, Prisma sends the LIMIT.

/** The part of a list that is read. */
export interface KeyRange {
  /** The part begins after the row of this key; null for the beginning of the list. */
  readonly after: Key | null;
  readonly isDescending: boolean;
  /** The most keys to return. */
  readonly size: number;
}

export interface KeyPage {
  /** Fewer than `size` at the end of the list, and if no more of the next `MAX_ROWS_READ` rows match. */
  readonly keys: readonly Key[];
  /** Where to continue; null if the list ends with the page. */
  readonly next: { readonly after: Key | null } | null;
}

export interface RowCount {
  readonly count: number;
  /** False if there may be more. */
  readonly isExact: boolean;
}

/** The most rows to read for conditions that no index serves. */
export const MAX_ROWS_READ = 20_000;

/** The most rows to count, unless an exact number is requested. */
export const MAX_ROWS_COUNTED = 10_000;

/** Reads the rows of lists that a clearance covers. */
export interface KeysetReader {
  /** Whether Prisma, with an order and a limit, reads a page by the intended index, too: one at an end of a whole table. */
  isFirstOfTable<Row>(table: PagedTable<Row>, filter: RowFilter<Row>, range: KeyRange): boolean;
  readPage<Row>(table: PagedTable<Row>, filter: RowFilter<Row>, range: KeyRange): Promise<KeyPage>;
  /** Counts up to `MAX_ROWS_COUNTED`. */
  count<Row>(table: PagedTable<Row>, filter: RowFilter<Row>): Promise<RowCount>;
  /** Counts all rows, however long that takes. */
  countExactly<Row>(table: PagedTable<Row>, filter: RowFilter<Row>): Promise<number>;
}

/** @param keys those of the page, and one more if the list continues after it. */
export function cutPage(keys: readonly Key[], { after, size }: KeyRange): KeyPage {
  const onPage = keys.slice(0, size);
  return { keys: onPage, next: keys.length > size ? { after: onPage.at(-1) ?? after } : null };
}

/** @param prisma a client that sees only what the clearance covers. */
export function createKeysetReader(prisma: PrismaClient, clearance: Marking): KeysetReader {
  return {
    isFirstOfTable: (table, filter, range) =>
      range.after === null && isUnforced(describeList(table, filter, clearance), range),

    async readPage(table, filter, range) {
      const list = describeList(table, filter, clearance);
      if (isUnforced(list, range)) return readParts(prisma, list, range);
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
      // With a limit among its values, it is planned by them: the index that suits a few rows does not suit most of them.
      const [counted] = await prisma.$queryRaw<{ count: bigint }[]>`
        select count(*) as count from ${list.from} where ${joinListConditions(list)} limit ${1}`;
      return Number(counted?.count ?? 0);
    },
  };
}

/** The most rows of a whole table for which the planner chooses the index by itself, analyzed or not. */
const MAX_ROWS_UNFORCED = 100;

function isUnforced(list: List, { size }: KeyRange): boolean {
  const { prefix, equals, bounds, others, shortcut } = list;
  if (!list.isWhole) return false;
  const isWholeTable = [prefix, Object.keys(equals), bounds, others, shortcut].every(
    ({ length }) => length === 0,
  );
  return isWholeTable && size <= MAX_ROWS_UNFORCED;
}

/**
 * Makes statements use the intended indexes. For a table that was never analyzed, as in an embedded database, or for a limit
 * in the thousands, the planner would otherwise read and sort the whole table. Where pages cost something, it prefers the index
 * of the bare key, in whose order rows are stored, and passes many times as many rows as the read may. Parallel workers read
 * ahead of a limit.
 */
function readByIndex<Result>(
  prisma: PrismaClient,
  read: (database: Prisma.TransactionClient) => Promise<Result>,
): Promise<Result> {
  return prisma.$transaction(async (transaction) => {
    await transaction.$queryRaw`select set_config('enable_seqscan', 'off', true),
      set_config('enable_bitmapscan', 'off', true), set_config('enable_sort', 'off', true), set_config('jit', 'off', true),
      set_config('random_page_cost', '0', true), set_config('seq_page_cost', '0', true),
      set_config('max_parallel_workers_per_gather', '0', true)`;
    return read(transaction);
  });
}

async function readParts(database: Prisma.TransactionClient, list: List, range: KeyRange): Promise<KeyPage> {
  const parts = await planParts(database, list, range);
  const rows: KeyRow[] = [];
  for (const part of parts) {
    const limit = range.size + 1 - rows.length;
    if (listResidualConditions(list).length === 0) {
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
 * @param parts the number of parts among which `MAX_ROWS_READ` is divided.
 * @returns the rows that match, and the key at which the read ended early; null if it reached the end of the part.
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
      listResidualConditions(list).length === 0
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

/** @returns null if there is no shortcut, or if it finds too many rows. */
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

/** @returns null if there is no shortcut, or if it finds too many rows. */
async function countShortcut(database: Prisma.TransactionClient, list: List): Promise<RowCount | null> {
  if (list.shortcut.length === 0) return null;
  const [counted] = await database.$queryRaw<{ found: number; matching: number }[]>`
    select count(*)::int as found, count(*) filter (where matches)::int as matching
    from (${selectShortcut(list, MAX_ROWS_READ + 1)}) as found`;
  return counted === undefined || counted.found > MAX_ROWS_READ ? null : toCount(counted.matching);
}

/** The columns of a key, and maybe others. */
type KeyRow = Readonly<Record<string, unknown>>;

function toKey({ key }: List, row: KeyRow): Key {
  return Object.fromEntries(key.map((field) => [field, row[toColumn(field)] as Key[string]]));
}

function toPage(list: List, rows: readonly KeyRow[], range: KeyRange): KeyPage {
  return cutPage(
    rows.map((row) => toKey(list, row)),
    range,
  );
}

function toCount(counted: number): RowCount {
  return { count: Math.min(counted, MAX_ROWS_COUNTED), isExact: counted <= MAX_ROWS_COUNTED };
}
