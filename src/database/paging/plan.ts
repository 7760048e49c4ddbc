import { coversAll, listMarkingsUpTo, type Marking } from '../../data-types/marking.ts';
import { ENUM_SUFFIX, findClearedSchema } from '../cleared-views.ts';
import { toColumn } from '../columns.ts';
import { Prisma } from '../generated/prisma/client.ts';
import type { AllowedValues, ColumnType, Key, PagedTable, RowFilter, Shortcut } from './paged-table.ts';

// An index is in the order of a list only where the columns before its key are the same. So each combination of their
// values is a run of its own, and PostgreSQL merges the runs, taking from each no more than the page needs. Where the first
// column of the key is limited, too, the list falls into parts that follow each other, a part for each of its values.

/** A filter on a table as a clearance sees it. */
export interface List {
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
  /** A column of the key as the index compares it. */
  keyColumn(field: string): Prisma.Sql;
  typeOf(field: string): Prisma.Sql;
}

/** A part of a list, in one order. */
export interface Part {
  /** The value of the first column of the key, which all of the part has; null where that can be any. */
  readonly value: string | null;
  readonly runs: readonly Run[];
}

/** Conditions for equal values in the columns of an index before the key. */
export type Run = readonly Prisma.Sql[];

export function describeList<Row>(
  table: PagedTable<Row>,
  { equals: asked = {}, bounds = [], others = [], shortcut }: RowFilter<Row>,
  clearance: Marking,
): List {
  const { name, key, collation, marking } = table;
  const types: Readonly<Record<string, ColumnType | undefined>> = table.types;
  const schema = findClearedSchema(clearance);
  let equals: List['equals'] = asked;
  if (!coversAll(clearance)) {
    // The view leaves the others out as well, but only after reading them.
    const covered: readonly string[] = listMarkingsUpTo(clearance);
    const allowed = equals[marking];
    const both = Array.isArray(allowed) ? covered.filter((one) => allowed.includes(one)) : covered;
    equals = { ...equals, [marking]: both };
  }
  const prefix = chooseIndex(table, equals);
  // A view shows an enum to Prisma as a text, which no index serves, and beside that as it is.
  const columnOf = (field: string) => {
    const isShownAsText = schema !== null && types[field]?.startsWith('public.') === true;
    return Prisma.raw(`"${toColumn(field)}${isShownAsText ? ENUM_SUFFIX : ''}"`);
  };
  const keyColumn = (field: string) => {
    const isCollated = collation !== undefined && prefix.length > 0 && types[field] === undefined;
    return isCollated
      ? Prisma.sql`${columnOf(field)} collate ${Prisma.raw(`"${collation}"`)}`
      : columnOf(field);
  };
  return {
    from: Prisma.raw(`"${schema ?? 'public'}"."${name}"`),
    key,
    prefix,
    equals,
    bounds: bounds.map(({ field, condition }) => condition(keyColumn(field))),
    others,
    shortcut:
      shortcut === undefined
        ? []
        : shortcutReads(shortcut, columnOf(shortcut.column), columnOf(marking), equals[marking]),
    columnOf,
    keyColumn,
    typeOf: (field) => Prisma.raw(types[field] ?? 'text'),
  };
}

/** The index that limits the most columns, and of several such the one that has to be read in the fewest runs. */
function chooseIndex<Row>(
  { indexes, fewValued }: Pick<PagedTable<Row>, 'indexes' | 'fewValued'>,
  equals: List['equals'],
): readonly string[] {
  const few: readonly string[] = fewValued;
  const usable = indexes
    .map((prefix) => {
      const open = prefix.filter((field) => equals[field] === undefined);
      return { prefix, limited: prefix.length - open.length, open };
    })
    .filter(({ open }) => open.every((field) => few.includes(field)));
  const [best] = usable.toSorted((a, b) => b.limited - a.limited || a.open.length - b.open.length);
  return best?.prefix ?? [];
}

function shortcutReads<Row>(
  { conditions }: Shortcut<Row>,
  column: Prisma.Sql,
  marking: Prisma.Sql,
  markings: AllowedValues | undefined,
): readonly Prisma.Sql[] {
  // As a range, a marking stays part of the order, which only the index has that is meant.
  const ranges = Array.isArray(markings)
    ? markings.map((one: string) => Prisma.sql`and ${marking} between ${one} and ${one}`)
    : [Prisma.empty];
  return conditions.flatMap((condition) =>
    ranges.map((range) => Prisma.sql`where ${condition} ${range} order by ${column}, ${marking}`),
  );
}

/** The parts of a list that are not wholly before a key, in the order of reading. */
export async function planParts(
  database: Prisma.TransactionClient,
  list: List,
  { after, isDescending }: { readonly after: Key | null; readonly isDescending: boolean },
): Promise<readonly Part[]> {
  let runs: readonly Run[] = [[]];
  for (const [index, field] of list.prefix.entries()) {
    const values = list.equals[field];
    // What follows is limited to values. An index without NULLs serves only those who say that they need none.
    const limited = list.prefix.slice(index + 1).filter((other) => list.equals[other] !== undefined);
    runs = Array.isArray(values)
      ? runs.flatMap((run) => values.map((value: string) => [...run, equality(list, field, value)]))
      : await splitByValues(
          database,
          list,
          runs.map((run) => [
            ...run,
            ...limited.map((other) => Prisma.sql`${list.columnOf(other)} is not null`),
          ]),
          field,
        );
  }
  if (runs.length === 0) return [];
  const [first = ''] = list.key;
  const allowed = list.equals[first];
  if (allowed === undefined) return [{ value: null, runs }];
  const values = Array.isArray(allowed) ? allowed : await findValues(database, list, runs, first);
  const from = after?.[first];
  return values
    .filter((value) => typeof from !== 'string' || compareBytes(value, from) * (isDescending ? -1 : 1) >= 0)
    .toSorted((a, b) => compareBytes(a, b) * (isDescending ? -1 : 1))
    .map((value) => ({
      value,
      runs: runs.map((run) => [...run, equality(list, first, value, list.keyColumn(first))]),
    }));
}

/** The order of the collation C. */
function compareBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

function equality(
  list: List,
  field: string,
  value: string | null,
  column = list.columnOf(field),
): Prisma.Sql {
  return value === null
    ? Prisma.sql`${column} is null`
    : Prisma.sql`${column} = ${value}::${list.typeOf(field)}`;
}

async function splitByValues(
  database: Prisma.TransactionClient,
  list: List,
  runs: readonly Run[],
  field: string,
): Promise<readonly Run[]> {
  if (runs.length === 0) return [];
  const found = await database.$queryRaw<{ run: number; value: string | null }[]>(
    Prisma.join(
      runs.map((run, index) => selectValues(list, run, list.columnOf(field), index)),
      ' union all ',
    ),
  );
  return found.map(({ run, value }) => [...(runs[run] ?? []), equality(list, field, value)]);
}

async function findValues(
  database: Prisma.TransactionClient,
  list: List,
  runs: readonly Run[],
  field: string,
): Promise<readonly string[]> {
  const column = list.keyColumn(field);
  const searches = runs.map((run, index) => selectValues(list, run, column, index));
  const found = await database.$queryRaw<{ value: string }[]>`
    select distinct value from (${Prisma.join(searches, ' union all ')}) as found where value is not null`;
  return found.map(({ value }) => value);
}

/** Selects the values that a column has in a run: each is found from the one before by one look into the index. */
function selectValues(list: List, run: Run, column: Prisma.Sql, index: number): Prisma.Sql {
  const least = (condition: Prisma.Sql) => Prisma.sql`select ${column} as value from ${list.from}
    where ${allOf([...run, condition])} order by ${column} limit 1`;
  return Prisma.sql`(with recursive found as (
      (${least(Prisma.sql`${column} is not null`)})
      union all
      select greater.value from found cross join lateral (${least(Prisma.sql`${column} > found.value`)}) as greater
    )
    select ${index}::int as run, value::text from found
    union all
    select ${index}::int, null where exists (${least(Prisma.sql`${column} is null`)}))`;
}

/** The conditions that the parts of a list do not meet by themselves. */
export function residualOf(list: List): readonly Prisma.Sql[] {
  const met = new Set([...list.prefix, list.key[0]]);
  const fields = Object.keys(list.equals).filter((field) => !met.has(field));
  return [...equalities(list, fields), ...list.others];
}

/** Everything that the rows of a list meet. */
export function conditionsOf(list: List): Prisma.Sql {
  return allOf([...equalities(list, Object.keys(list.equals)), ...list.bounds, ...list.others]);
}

function equalities(list: List, fields: readonly string[]): readonly Prisma.Sql[] {
  return fields.flatMap((field) => {
    const values = list.equals[field];
    if (!Array.isArray(values)) return [];
    return [Prisma.sql`${list.columnOf(field)} = any(${values}::text[]::${list.typeOf(field)}[])`];
  });
}

export function allOf(conditions: readonly Prisma.Sql[]): Prisma.Sql {
  return conditions.length === 0 ? Prisma.sql`true` : Prisma.join([...conditions], ' and ', '(', ')');
}
