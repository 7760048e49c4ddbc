import { coversAll, listMarkingsUpTo, type Marking } from '../../data-types/marking.ts';
import { ENUM_SUFFIX, findClearedSchema } from '../cleared-views.ts';
import { toColumn } from '../columns.ts';
import { Prisma } from '../generated/prisma/client.ts';
import type { AllowedValues, ColumnType, Key, PagedTable, RowFilter, Shortcut } from './paged-table.ts';

// An index is in the order of a list only while the columns before its key are equal. So each combination of their values is
// a separate run, and PostgreSQL merges the runs, reading no more of each than the page needs. If the first column of the key
// is limited, too, the list consists of consecutive parts, one for each of its values.

/** A filtered table, as a clearance sees it. */
export interface List {
  /** The table, or the view of it. */
  readonly from: Prisma.Sql;
  /** Whether that is every row of it. */
  readonly isWhole: boolean;
  readonly key: readonly string[];
  /** The columns of the chosen index before the key. */
  readonly prefix: readonly string[];
  readonly equals: Readonly<Record<string, AllowedValues | undefined>>;
  readonly bounds: readonly Prisma.Sql[];
  readonly others: readonly Prisma.Sql[];
  /** The end of each statement that reads the shortcut, after FROM. */
  readonly shortcut: readonly Prisma.Sql[];
  quoteColumn(field: string): Prisma.Sql;
  /** Quotes a column of the key, with the collation of the index. */
  quoteKeyColumn(field: string): Prisma.Sql;
  findType(field: string): Prisma.Sql;
}

/** A part of a list, in one order. */
export interface Part {
  /** The value of the first column of the key in all rows of the part; null if there are several. */
  readonly value: string | null;
  readonly runs: readonly Run[];
}

/** Conditions that fix the columns of an index before the key. */
export type Run = readonly Prisma.Sql[];

export function describeList<Row>(
  table: PagedTable<Row>,
  { equals: asked = {}, bounds = [], others = [], within, shortcut }: RowFilter<Row>,
  clearance: Marking,
): List {
  const { name, key, collation, marking } = table;
  const types: Readonly<Record<string, ColumnType | undefined>> = table.types;
  const schema = findClearedSchema(clearance);
  let equals: List['equals'] = asked;
  if (marking !== undefined && !coversAll(clearance)) {
    // The view excludes the others, too, but only after reading them.
    const covered: readonly string[] = listMarkingsUpTo(clearance);
    const allowed = equals[marking];
    const both = Array.isArray(allowed) ? covered.filter((one) => allowed.includes(one)) : covered;
    equals = { ...equals, [marking]: both };
  }
  const prefix = chooseIndex(table, equals);
  // A view has an enum twice: as text, for Prisma, which no index serves, and unchanged.
  const quoteColumn = (field: string) => {
    const isShownAsText = schema !== null && types[field]?.startsWith('public.') === true;
    return Prisma.raw(`"${toColumn(field)}${isShownAsText ? ENUM_SUFFIX : ''}"`);
  };
  const quoteKeyColumn = (field: string) => {
    const isCollated = collation !== undefined && prefix.length > 0 && types[field] === undefined;
    return isCollated
      ? Prisma.sql`${quoteColumn(field)} collate ${Prisma.raw(`"${collation}"`)}`
      : quoteColumn(field);
  };
  const from = Prisma.raw(`"${schema ?? 'public'}"."${name}"`);
  return {
    from: within === undefined ? from : Prisma.sql`(select * from ${from} where ${within}) as rows`,
    isWhole: within === undefined,
    key,
    prefix,
    equals,
    bounds: bounds.map(({ field, condition }) => condition(quoteKeyColumn(field))),
    others,
    shortcut:
      shortcut === undefined || marking === undefined
        ? []
        : createShortcutReads(shortcut, quoteColumn(shortcut.column), quoteColumn(marking), equals[marking]),
    quoteColumn,
    quoteKeyColumn,
    findType: (field) => Prisma.raw(types[field] ?? 'text'),
  };
}

/** Chooses the index that limits the most columns, and of several such the one with the fewest runs. */
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

function createShortcutReads<Row>(
  { conditions }: Shortcut<Row>,
  column: Prisma.Sql,
  marking: Prisma.Sql,
  markings: AllowedValues | undefined,
): readonly Prisma.Sql[] {
  // As a range, a marking stays part of the order, which only the intended index has.
  const ranges = Array.isArray(markings)
    ? markings.map((one: string) => Prisma.sql`and ${marking} between ${one} and ${one}`)
    : [Prisma.empty];
  return conditions.flatMap((condition) =>
    ranges.map((range) => Prisma.sql`where ${condition} ${range} order by ${column}, ${marking}`),
  );
}

/** Plans the parts of a list that are not entirely before a key, in reading order. */
export async function planParts(
  database: Prisma.TransactionClient,
  list: List,
  { after, isDescending }: { readonly after: Key | null; readonly isDescending: boolean },
): Promise<readonly Part[]> {
  let runs: readonly Run[] = [[]];
  for (const [index, field] of list.prefix.entries()) {
    const values = list.equals[field];
    // An index without NULLs serves only statements that exclude them.
    const limited = list.prefix.slice(index + 1).filter((other) => list.equals[other] !== undefined);
    runs = Array.isArray(values)
      ? runs.flatMap((run) => values.map((value: string) => [...run, formatEquality(list, field, value)]))
      : await splitByValues(
          database,
          list,
          runs.map((run) => [
            ...run,
            ...limited.map((other) => Prisma.sql`${list.quoteColumn(other)} is not null`),
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
      runs: runs.map((run) => [...run, formatEquality(list, first, value, list.quoteKeyColumn(first))]),
    }));
}

/** Compares texts as the collation C does. */
function compareBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

function formatEquality(
  list: List,
  field: string,
  value: string | null,
  column = list.quoteColumn(field),
): Prisma.Sql {
  return value === null
    ? Prisma.sql`${column} is null`
    : Prisma.sql`${column} = ${value}::${list.findType(field)}`;
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
      runs.map((run, index) => selectValues(list, run, list.quoteColumn(field), index)),
      ' union all ',
    ),
  );
  return found.map(({ run, value }) => [...(runs[run] ?? []), formatEquality(list, field, value)]);
}

async function findValues(
  database: Prisma.TransactionClient,
  list: List,
  runs: readonly Run[],
  field: string,
): Promise<readonly string[]> {
  const column = list.quoteKeyColumn(field);
  const searches = runs.map((run, index) => selectValues(list, run, column, index));
  const found = await database.$queryRaw<{ value: string }[]>`
    select distinct value from (${Prisma.join(searches, ' union all ')}) as found where value is not null`;
  return found.map(({ value }) => value);
}

/** Selects the values of a column in a run: each is found from the previous one by one index look-up. */
function selectValues(list: List, run: Run, column: Prisma.Sql, index: number): Prisma.Sql {
  const least = (condition: Prisma.Sql) => Prisma.sql`select ${column} as value from ${list.from}
    where ${joinConditions([...run, condition])} order by ${column} limit 1`;
  return Prisma.sql`(with recursive found as (
      (${least(Prisma.sql`${column} is not null`)})
      union all
      select greater.value from found cross join lateral (${least(Prisma.sql`${column} > found.value`)}) as greater
    )
    select ${index}::int as run, value::text from found
    union all
    select ${index}::int, null where exists (${least(Prisma.sql`${column} is null`)}))`;
}

/** Lists the conditions that the parts of a list do not already meet. */
export function listResidualConditions(list: List): readonly Prisma.Sql[] {
  const met = new Set([...list.prefix, list.key[0]]);
  const fields = Object.keys(list.equals).filter((field) => !met.has(field));
  return [...formatEqualities(list, fields), ...list.others];
}

/** Joins all conditions of a list. */
export function joinListConditions(list: List): Prisma.Sql {
  return joinConditions([
    ...formatEqualities(list, Object.keys(list.equals)),
    ...list.bounds,
    ...list.others,
  ]);
}

function formatEqualities(list: List, fields: readonly string[]): readonly Prisma.Sql[] {
  return fields.flatMap((field) => {
    const values = list.equals[field];
    if (!Array.isArray(values)) return [];
    return [Prisma.sql`${list.quoteColumn(field)} = any(${values}::text[]::${list.findType(field)}[])`];
  });
}

export function joinConditions(conditions: readonly Prisma.Sql[]): Prisma.Sql {
  return conditions.length === 0 ? Prisma.sql`true` : Prisma.join([...conditions], ' and ', '(', ')');
}
