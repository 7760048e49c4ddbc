import { queryFromInfo } from '@pothos/plugin-prisma';
import type { GraphQLResolveInfo } from 'graphql';
import {
  createKeysetReader,
  cutPage,
  type KeyPage,
  type KeyRange,
  type KeysetReader,
  MAX_ROWS_COUNTED,
} from '../../database/paging/keyset.ts';
import type { Key, KeyValue, PagedTable, RowFilter } from '../../database/paging/paged-table.ts';
import { createIssue, type InputIssue, InvalidInputError } from '../../shared/invalid-input.ts';
import { once } from '../../shared/once.ts';
import type { ApiContext } from '../context.ts';
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from '../page-size.ts';
import { builder } from './builder.ts';
import { type CursorForm, decodeCursor, encodeCursor } from './cursor.ts';
import type { ListOrder } from './order-input.ts';

/** A list that clients read a page at a time. */
export interface PagedList<Row, Field extends string> {
  /** Unique among lists. */
  readonly name: string;
  /** The columns of every key that identify a row. */
  readonly identity: readonly (keyof Row & string)[];
  /** Its table, for each field that it can be ordered by, with the key in that order. */
  readonly orders: Readonly<Record<Field, PagedTable<Row>>>;
}

export interface PageRequest<Row, Field extends string> {
  readonly order: ListOrder<Field>;
  readonly page: PageArguments;
  readonly filter: RowFilter<Row>;
  /**
   * Reads rows with their key.
   * @param query which rows, and what Prisma must read of them.
   */
  readonly read: (query: object) => Promise<readonly Row[]>;
  /** Reads rows whose type has no relations, also those that no view of a clearance shows. Default: what the clearance covers. */
  readonly reader?: KeysetReader;
}

interface PageArguments {
  readonly first?: number | null | undefined;
  readonly last?: number | null | undefined;
  readonly after?: string | null | undefined;
  readonly before?: string | null | undefined;
}

/**
 * Connects a page of a list. Only requested parts are read.
 * @throws InvalidInputError if the arguments do not describe a page.
 */
export function connectPage<Row extends object, Field extends string>(
  list: PagedList<Row, Field>,
  context: ApiContext,
  info: GraphQLResolveInfo,
  { order: { field, direction }, page, filter, read, reader: otherReader }: PageRequest<Row, Field>,
) {
  const reader = otherReader ?? createKeysetReader(context.prisma, context.principal.clearance);
  const table = list.orders[field];
  const form: CursorForm<Row> = { name: list.name, table };
  const order = `${field} ${direction}`;
  const { after, isBackward, size } = checkPage(form, order, page);
  const range: KeyRange = { after, size, isDescending: (direction === 'DESC') !== isBackward };

  async function readKeysAndRows(): Promise<KeyPage & { readonly found: readonly Row[] }> {
    const query: object =
      otherReader === undefined ? queryFromInfo({ context, info, paths: PATHS_TO_NODES }) : {};
    if (reader.isFirstOfTable(table, filter, range)) {
      const found = await read({ ...query, orderBy: orderByKey(table, range), take: size + 1 });
      return {
        found,
        ...cutPage(
          found.map((row) => pickKey(table, row)),
          range,
        ),
      };
    }
    const page = await reader.readPage(table, filter, range);
    const where = matchKeys(list, page.keys);
    return { found: page.keys.length === 0 ? [] : await read({ ...query, where }), ...page };
  }

  const readOnce = once(async () => {
    const { found, keys, next } = await readKeysAndRows();
    const rows = new Map(found.map((row) => [identify(list, row), row]));
    const inOrder = isBackward ? keys.toReversed() : keys;
    const edges = inOrder.flatMap((key) => {
      const node = rows.get(identify(list, key));
      // A row deleted after its key was read is missing.
      return node === undefined ? [] : [{ cursor: encodeCursor(form, order, key), node }];
    });
    const cursorAt = (key: Key | null | undefined) => (key ? encodeCursor(form, order, key) : null);
    // A short page can end at a row that does not match, with more of the list behind it.
    const end = cursorAt(next?.after ?? keys.at(-1));
    const start = cursorAt(keys[0]);
    const isBegun = after !== null;
    const pageInfo = isBackward
      ? { startCursor: end, endCursor: start, hasPreviousPage: next !== null, hasNextPage: isBegun }
      : { startCursor: start, endCursor: end, hasPreviousPage: isBegun, hasNextPage: next !== null };
    return { edges, pageInfo };
  });

  return {
    get edges() {
      return readOnce().then(({ edges }) => edges);
    },
    get pageInfo() {
      return readOnce().then(({ pageInfo }) => pageInfo);
    },
    count: once(() => reader.count(table, filter)),
    countExactly: once(() => reader.countExactly(table, filter)),
  };
}

/** The paths of fields from a connection to its nodes. */
export const PATHS_TO_NODES = [['edges', 'node'], ['nodes']];

function checkPage<Row>(
  form: CursorForm<Row>,
  order: string,
  page: PageArguments,
): { after: Key | null; isBackward: boolean; size: number } {
  const issues: InputIssue[] = [];
  for (const field of ['first', 'last'] as const) {
    const size = page[field] ?? 0;
    if (size < 0 || size > MAX_PAGE_SIZE)
      issues.push(createIssue(field, 'OUT_OF_RANGE', `must be from 0 to ${MAX_PAGE_SIZE}`));
  }
  const clash = CLASHES.find(([one, other]) => page[one] != null && page[other] != null);
  if (clash !== undefined)
    issues.push(
      createIssue(
        clash[1],
        'CONFLICT',
        `cannot be given together with ${clash[0]}: page forward with first and after, backward with last and before`,
      ),
    );
  let place: Key | null = null;
  for (const field of ['after', 'before'] as const) {
    const cursor = page[field];
    if (cursor == null) continue;
    const decoded = decodeCursor(form, order, cursor);
    if (decoded.isValid) place = decoded.place;
    else issues.push(createIssue(field, 'INVALID', decoded.problem));
  }
  if (issues.length > 0) throw new InvalidInputError(issues);
  const isBackward = page.last != null || page.before != null;
  return {
    after: place,
    isBackward,
    size: page.first ?? page.last ?? DEFAULT_PAGE_SIZE,
  };
}

const CLASHES = [
  ['first', 'last'],
  ['first', 'before'],
  ['after', 'last'],
  ['after', 'before'],
] as const;

function orderByKey<Row>({ key }: Pick<PagedTable<Row>, 'key'>, { isDescending }: KeyRange): object {
  return key.map((field) => ({ [field]: isDescending ? 'desc' : 'asc' }));
}

function pickKey<Row extends object>({ key }: Pick<PagedTable<Row>, 'key'>, row: Row): Key {
  const values = row as Readonly<Record<string, KeyValue>>;
  return Object.fromEntries(key.map((field) => [field, values[field] as KeyValue]));
}

/** Creates the condition for the rows of some keys: a list of values of the last column for each combination of the others. */
function matchKeys<Row>(
  { identity }: Pick<PagedList<Row, string>, 'identity'>,
  keys: readonly Key[],
): object {
  const others = identity.slice(0, -1);
  const last = identity.at(-1) ?? '';
  const groups = Map.groupBy(keys, (key) => JSON.stringify(others.map((field) => key[field])));
  return {
    OR: [...groups.values()].map((group) => ({
      ...Object.fromEntries(others.map((field) => [field, group[0]?.[field]])),
      [last]: { in: group.map((key) => key[last]) },
    })),
  };
}

function identify<Row>({ identity }: Pick<PagedList<Row, string>, 'identity'>, row: object): string {
  const values: Readonly<Record<string, unknown>> = { ...row };
  return JSON.stringify(identity.map((field) => values[field]));
}

builder.globalConnectionFields((t) => ({
  totalCount: t.field({
    type: 'SafeInt',
    description: `Number of entries in the whole list, counted up to ${MAX_ROWS_COUNTED.toLocaleString('en')} unless \`exact\` is true. \`isTotalCountExact\` is false if there may be more.`,
    args: {
      exact: t.arg.boolean({
        required: false,
        defaultValue: false,
        description: 'Count every entry, which takes seconds for a list of millions.',
      }),
    },
    resolve: async (list, { exact }) => (exact === true ? list.countExactly() : (await list.count()).count),
  }),
  isTotalCountExact: t.boolean({
    description: 'False if the list may have more entries than `totalCount` without `exact` returns.',
    resolve: async (list) => (await list.count()).isExact,
  }),
}));
