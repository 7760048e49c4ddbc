import { coversAll, type Marking, markingsUpTo } from '../data-types/marking.ts';
import { ENUM_SUFFIX, findClearedSchema } from './cleared-views.ts';
import { toColumn } from './columns.ts';
import { Prisma, type PrismaClient } from './generated/prisma/client.ts';

// Pages are read by keyset: the key of the last row of one page is where the next begins, in an index that is already in
// the order of the list. Prisma's cursors do not do that. With an order of several columns they send no LIMIT and cut
// the page out of everything behind the cursor in memory, and a cursor whose row is deleted finds nothing.
//
// An index is in the order of a list only where the columns before its key are the same. So each combination of their
// values is a run of its own, and PostgreSQL merges the runs, taking from each no more than the page needs.

/** A table that can be read a page at a time. */
export interface PagedTable<Row> {
  readonly name: string;
  /** The order, ascending, by columns that are unique together. None may be nullable: a NULL has no place in an order. */
  readonly key: readonly NeverNull<Row>[];
  /** What each index has before the key; the earlier is used of those that serve a filter equally well. */
  readonly indexes: readonly (readonly Column<Row>[])[];
  /** Says which clearance a row needs: only an index with this column serves a lower clearance. */
  readonly marking: Column<Row>;
  /** The types of the columns above that are no text. */
  readonly types: { readonly [Field in Column<Row>]?: ColumnType };
}

type Column<Row> = keyof Row & string;
type NeverNull<Row> = { [Field in Column<Row>]: null extends Row[Field] ? never : Field }[Column<Row>];
type ColumnType = 'uuid' | 'timestamptz' | `public.${string}`;

/** Which rows of a table a list holds: those that meet every condition. */
export interface RowFilter<Row> {
  /** The values that a column may have. `EVERY` allows all, but reads the rows of each value as a run. */
  readonly equals?: { readonly [Field in Column<Row>]?: AllowedValues };
  /** Conditions on one column of the key: they limit how much of a run is read. */
  readonly bounds?: readonly Prisma.Sql[];
  /** Conditions that no index helps with. */
  readonly others?: readonly Prisma.Sql[];
  /** Finds all rows that may fit, in another order; it is taken where it finds few, which still have to meet the conditions. */
  readonly shortcut?: Shortcut<Row>;
}

type AllowedValues = readonly string[] | typeof EVERY;

/** Rows that meet one of several conditions on a column, which has an index together with the marking. */
export interface Shortcut<Row> {
  readonly column: Column<Row>;
  readonly conditions: readonly Prisma.Sql[];
}

export const EVERY = Symbol('every value');

/** The place of a row in its list: the values of the columns of its key. */
export type Key = Readonly<Record<string, KeyValue>>;
export type KeyValue = string | Date;

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
      const found = await readShortcut<KeyRow>(prisma, list, (rows) => pickPage(list, rows, range));
      if (found !== null) return toPage(list, found, range);
      const runs = await planRuns(prisma, list);
      if (runs.length === 0) return { keys: [], next: null };
      const residual = residualOf(list);
      return residual.length === 0
        ? toPage(list, await prisma.$queryRaw<KeyRow[]>(selectRuns(list, runs, range, range.size + 1)), range)
        : readMatching(prisma, list, runs, range);
    },

    async count(table, filter) {
      const list = describeList(table, filter, clearance);
      const limit = MOST_ROWS_COUNTED + 1;
      const found = await readShortcut<{ count: number }>(
        prisma,
        list,
        (rows) =>
          Prisma.sql`select count(*)::int as count from (select from ${rows} limit ${limit}) as counted`,
      );
      if (found !== null) return toCount(found[0]?.count ?? 0);
      const runs = await planRuns(prisma, list);
      if (runs.length === 0) return { count: 0, isExact: true };
      const everywhere = { after: null, isDescending: false };
      if (residualOf(list).length > 0) {
        const rows = selectMatching(list, runs, everywhere, limit);
        const [counted] = await readByIndex<{ count: number; isCutOff: boolean }>(
          prisma,
          Prisma.sql`select count(*) filter (where matches)::int as count,
            coalesce(bool_or(place = ${MOST_ROWS_READ}), false) as "isCutOff" from (${rows}) as counted`,
        );
        const { count, isExact } = toCount(counted?.count ?? 0);
        return { count, isExact: isExact && counted?.isCutOff !== true };
      }
      const [counted] = await prisma.$queryRaw<{ count: number }[]>`
        select count(*)::int as count from (${selectRuns(list, runs, everywhere, limit)}) as counted`;
      return toCount(counted?.count ?? 0);
    },

    async countExactly(table, filter) {
      const list = describeList(table, filter, clearance);
      const conditions = [...equalities(list, Object.keys(list.equals)), ...list.bounds, ...list.others];
      const [counted] = await prisma.$queryRaw<{ count: bigint }[]>`
        select count(*) as count from ${list.from} where ${allOf(conditions)}`;
      return Number(counted?.count ?? 0);
    },
  };
}

/** A filter on a table as a clearance sees it. */
interface List {
  /** The table, or the view of it. */
  readonly from: Prisma.Sql;
  readonly key: readonly string[];
  /** What the index that is used has before the key. */
  readonly prefix: readonly string[];
  readonly equals: Readonly<Record<string, AllowedValues | undefined>>;
  readonly bounds: readonly Prisma.Sql[];
  readonly others: readonly Prisma.Sql[];
  /** What a read of the shortcut has behind FROM. */
  readonly shortcut: readonly Prisma.Sql[];
  columnOf(field: string): Prisma.Sql;
  typeOf(field: string): Prisma.Sql;
}

function describeList<Row>(
  { name, key, indexes, marking, types }: PagedTable<Row>,
  { equals: asked = {}, bounds = [], others = [], shortcut }: RowFilter<Row>,
  clearance: Marking,
): List {
  const schema = findClearedSchema(clearance);
  const typeOf: Readonly<Record<string, ColumnType | undefined>> = types;
  let equals: List['equals'] = asked;
  if (!coversAll(clearance)) {
    // The view leaves the others out as well; but to skip them it would have to read them.
    const covered: readonly string[] = markingsUpTo(clearance);
    const allowed = equals[marking];
    const both = Array.isArray(allowed) ? covered.filter((one) => allowed.includes(one)) : covered;
    equals = { ...equals, [marking]: both };
  }
  // A view shows an enum to Prisma as a text, which no index serves, and beside that as it is.
  const columnOf = (field: string) => {
    const isShownAsText = schema !== null && typeOf[field]?.startsWith('public.') === true;
    return Prisma.raw(`"${toColumn(field)}${isShownAsText ? ENUM_SUFFIX : ''}"`);
  };
  return {
    from: Prisma.raw(`"${schema ?? 'public'}"."${name}"`),
    key,
    prefix: chooseIndex(indexes, equals),
    equals,
    bounds,
    others,
    shortcut:
      shortcut === undefined
        ? []
        : shortcutReads(shortcut, columnOf(shortcut.column), columnOf(marking), equals[marking]),
    columnOf,
    typeOf: (field) => Prisma.raw(typeOf[field] ?? 'text'),
  };
}

function shortcutReads<Row>(
  { conditions }: Shortcut<Row>,
  column: Prisma.Sql,
  marking: Prisma.Sql,
  markings: AllowedValues | undefined,
): readonly Prisma.Sql[] {
  // Given as a range, a marking does not take itself out of the order, which makes the planner use the index that has it.
  const ranges = Array.isArray(markings)
    ? markings.map((one: string) => Prisma.sql`and ${marking} between ${one} and ${one}`)
    : [Prisma.empty];
  return conditions.flatMap((condition) =>
    ranges.map((range) => Prisma.sql`where ${condition} ${range} order by ${column}, ${marking}`),
  );
}

/** The index that limits the most columns, and of several such the one that has to be read in the fewest runs. */
function chooseIndex(indexes: readonly (readonly string[])[], equals: List['equals']): readonly string[] {
  const rated = indexes.map((prefix) => {
    const limited = prefix.filter((field) => Array.isArray(equals[field])).length;
    return { prefix, limited, unlimited: prefix.length - limited };
  });
  const [best] = rated.toSorted((a, b) => b.limited - a.limited || a.unlimited - b.unlimited);
  return best?.prefix ?? [];
}

/** Rows of an index that have the same values before the rest of the key, and so are in its order. */
interface Run {
  readonly conditions: readonly Prisma.Sql[];
  readonly values: ReadonlyMap<string, string | null>;
}

async function planRuns(prisma: PrismaClient, list: List): Promise<readonly Run[]> {
  let runs: readonly Run[] = [{ conditions: [], values: new Map() }];
  for (const field of splitColumns(list)) {
    const values = list.equals[field];
    runs = Array.isArray(values)
      ? runs.flatMap((run) => values.map((value: string) => narrow(list, run, field, value)))
      : await splitByValues(prisma, list, runs, field);
  }
  return runs;
}

/** The columns whose values tell the runs apart: those before the key, and of the key those at its beginning that are limited. */
function splitColumns({ prefix, key, equals }: List): readonly string[] {
  const end = key.findIndex((field) => equals[field] === undefined);
  return [...prefix, ...key.slice(0, end === -1 ? key.length : end)];
}

function narrow(list: List, { conditions, values }: Run, field: string, value: string | null): Run {
  const column = list.columnOf(field);
  return {
    conditions: [
      ...conditions,
      value === null
        ? Prisma.sql`${column} is null`
        : Prisma.sql`${column} = ${value}::${list.typeOf(field)}`,
    ],
    values: new Map([...values, [field, value]]),
  };
}

/** Splits runs by the values that a column has in them: each is found from the one before by one look into the index. */
async function splitByValues(
  prisma: PrismaClient,
  list: List,
  runs: readonly Run[],
  field: string,
): Promise<readonly Run[]> {
  if (runs.length === 0) return runs;
  const column = list.columnOf(field);
  const searches = runs.map(({ conditions }, run) => {
    const least = (condition: Prisma.Sql) => Prisma.sql`select ${column} as value from ${list.from}
      where ${allOf([...conditions, condition])} order by ${column} limit 1`;
    return Prisma.sql`(with recursive found as (
        (${least(Prisma.sql`${column} is not null`)})
        union all
        select greater.value from found cross join lateral (${least(Prisma.sql`${column} > found.value`)}) as greater
      )
      select ${run}::int as run, value::text from found
      union all
      select ${run}::int, null where exists (${least(Prisma.sql`${column} is null`)}))`;
  });
  const found = await prisma.$queryRaw<{ run: number; value: string | null }[]>(
    Prisma.join(searches, ' union all '),
  );
  return found.flatMap(({ run: index, value }) => {
    const run = runs[index];
    return run === undefined ? [] : [narrow(list, run, field, value)];
  });
}

/** The conditions that the runs do not meet by themselves. */
function residualOf(list: List): readonly Prisma.Sql[] {
  const met = new Set(splitColumns(list));
  return [
    ...equalities(
      list,
      Object.keys(list.equals).filter((field) => !met.has(field)),
    ),
    ...list.others,
  ];
}

function equalities(list: List, fields: readonly string[]): readonly Prisma.Sql[] {
  return fields.flatMap((field) => {
    const values = list.equals[field];
    if (!Array.isArray(values)) return [];
    return [Prisma.sql`${list.columnOf(field)} = any(${values}::text[]::${list.typeOf(field)}[])`];
  });
}

type Beginning = Pick<KeyRange, 'after' | 'isDescending'>;

/** Selects the first rows of all runs in order, each with whether it meets the residual conditions. */
function selectRuns(
  list: List,
  runs: readonly Run[],
  { after, isDescending }: Beginning,
  limit: number,
): Prisma.Sql {
  const columns = keyColumns(list);
  const order = orderOf(list, isDescending);
  const matches = allOf(residualOf(list));
  const selects = runs.map(({ conditions, values }) => {
    const behind = after === null ? [] : placedBehind(list, after, values, isDescending);
    return Prisma.sql`(select ${columns}, (${matches}) is true as matches from ${list.from}
      where ${allOf([...conditions, ...list.bounds, ...behind])} order by ${order} limit ${limit})`;
  });
  return Prisma.sql`select * from (${Prisma.join(selects, ' union all ')}) as runs order by ${order} limit ${limit}`;
}

/**
 * Conditions for rows behind a key. Beside the comparison of whole keys, which an index begins a read at, its first column
 * is compared alone: PostgreSQL reconciles that with the bounds, and keeps what is narrower.
 */
function placedBehind(
  list: List,
  key: Key,
  known: ReadonlyMap<string, string | null>,
  isDescending: boolean,
): readonly Prisma.Sql[] {
  const isBehind = Prisma.raw(isDescending ? '<' : '>');
  const asValue = (field: string) => Prisma.sql`${key[field]}::${list.typeOf(field)}`;
  const [first, ...rest] = list.key.filter((field) => known.get(field) !== key[field]);
  if (first === undefined) return [Prisma.sql`false`];
  const column = list.columnOf(first);
  // Of another value, the run is behind the key as a whole, or not at all.
  if (known.has(first) || rest.length === 0) return [Prisma.sql`${column} ${isBehind} ${asValue(first)}`];
  const columns = Prisma.join([first, ...rest].map(list.columnOf));
  const values = Prisma.join([first, ...rest].map(asValue));
  return [
    Prisma.sql`${column} ${isBehind}= ${asValue(first)}`,
    Prisma.sql`(${columns}) ${isBehind} (${values})`,
  ];
}

/**
 * Selects the first rows of the runs that match, and the one at `MOST_ROWS_READ` whether or not it does.
 * @param limit how many to select.
 */
function selectMatching(list: List, runs: readonly Run[], beginning: Beginning, limit: number): Prisma.Sql {
  return Prisma.sql`select * from (
      select *, row_number() over () as place from (${selectRuns(list, runs, beginning, MOST_ROWS_READ)}) as rows
    ) as numbered where matches or place = ${MOST_ROWS_READ} limit ${limit}`;
}

async function readMatching(
  prisma: PrismaClient,
  list: List,
  runs: readonly Run[],
  range: KeyRange,
): Promise<KeyPage> {
  const rows = await readByIndex<KeyRow & { matches: boolean; place: bigint }>(
    prisma,
    selectMatching(list, runs, range, range.size + 1),
  );
  const matching = rows.filter(({ matches }) => matches);
  const last = rows.at(-1);
  if (matching.length <= range.size && last !== undefined && Number(last.place) === MOST_ROWS_READ)
    return { keys: matching.map((row) => toKey(list, row)), next: { after: toKey(list, last) } };
  return toPage(list, matching, range);
}

/**
 * Takes the shortcut, where it finds no more than `MOST_ROWS_READ` rows.
 * @param pick selects from what it found.
 * @returns null where there is none, or where it finds more.
 */
async function readShortcut<Row extends object>(
  prisma: PrismaClient,
  list: List,
  pick: (found: Prisma.Sql) => Prisma.Sql,
): Promise<readonly Row[] | null> {
  const { shortcut, equals, bounds, others } = list;
  if (shortcut.length === 0) return null;
  const matches = allOf([...equalities(list, Object.keys(equals)), ...bounds, ...others]);
  const reads = shortcut.map(
    (ofIndex) => Prisma.sql`(select ${keyColumns(list)}, (${matches}) is true as matches
      from ${list.from} ${ofIndex} limit ${MOST_ROWS_READ + 1})`,
  );
  const rows = await readByIndex<Row & { isFew: boolean; isPicked: true | null }>(
    prisma,
    Prisma.sql`with found as materialized (${Prisma.join(reads, ' union all ')})
      select (select count(*) from found) <= ${MOST_ROWS_READ} as "isFew", picked.*
      from (values (true)) as always left join (
        select *, true as "isPicked" from (${pick(Prisma.sql`found where matches`)}) as rows
      ) as picked on true`,
  );
  return rows[0]?.isFew ? rows.filter(({ isPicked }) => isPicked) : null;
}

function pickPage(list: List, found: Prisma.Sql, { after, isDescending, size }: KeyRange): Prisma.Sql {
  const behind = after === null ? [] : placedBehind(list, after, new Map(), isDescending);
  const order = orderOf(list, isDescending);
  return Prisma.sql`select ${keyColumns(list)} from ${found} and ${allOf(behind)} order by ${order} limit ${size + 1}`;
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

function keyColumns({ key }: List): Prisma.Sql {
  return Prisma.join(key.map((field) => Prisma.raw(`"${toColumn(field)}"`)));
}

function orderOf({ key }: List, isDescending: boolean): Prisma.Sql {
  return Prisma.raw(key.map((field) => `"${toColumn(field)}"${isDescending ? ' desc' : ''}`).join(', '));
}

function allOf(conditions: readonly Prisma.Sql[]): Prisma.Sql {
  return conditions.length === 0 ? Prisma.sql`true` : Prisma.join([...conditions], ' and ', '(', ')');
}

/** The columns of a key, and others beside. */
type KeyRow = Readonly<Record<string, KeyValue | boolean | bigint>>;

function toKey({ key }: List, row: KeyRow): Key {
  return Object.fromEntries(key.map((field) => [field, row[toColumn(field)] as KeyValue]));
}

/** @param rows one more than the page where the list goes on behind it. */
function toPage(list: List, rows: readonly KeyRow[], { after, size }: KeyRange): KeyPage {
  const keys = rows.slice(0, size).map((row) => toKey(list, row));
  return { keys, next: rows.length > size ? { after: keys.at(-1) ?? after } : null };
}

function toCount(counted: number): RowCount {
  return { count: Math.min(counted, MOST_ROWS_COUNTED), isExact: counted <= MOST_ROWS_COUNTED };
}
