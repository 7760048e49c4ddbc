import { queryFromInfo } from '@pothos/plugin-prisma';
import type { GraphQLResolveInfo } from 'graphql';
import { createKeysetReader, MAX_ROWS_COUNTED } from '../../database/paging/keyset.ts';
import type { Key, PagedTable, RowFilter } from '../../database/paging/paged-table.ts';
import { type InputIssue, InvalidInputError } from '../../shared/invalid-input.ts';
import type { ApiContext } from '../context.ts';
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from '../page-size.ts';
import { builder } from './builder.ts';
import { type CursorForm, decodeCursor, encodeCursor } from './cursor.ts';

/** A list that clients read a page at a time. */
export interface PagedList<Row, Order extends string> extends CursorForm<Row> {
  readonly table: PagedTable<Row>;
  /** The columns of the key that identify a row. */
  readonly identity: readonly (keyof Row & string)[];
  /** Its orders, each along the key. */
  readonly orders: Readonly<Record<Order, 'ascending' | 'descending'>>;
}

export interface PageRequest<Row, Order extends string> {
  readonly order: Order;
  readonly page: PageArguments;
  readonly filter: RowFilter<Row>;
  /**
   * Reads the rows of some keys, in any order. Rows deleted in the meantime are missing.
   * @param query what Prisma must read of them.
   */
  readonly read: (keys: readonly Key[], query: object) => Promise<readonly Row[]>;
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
export function connectPage<Row extends object, Order extends string>(
  list: PagedList<Row, Order>,
  context: ApiContext,
  info: GraphQLResolveInfo,
  { order, page, filter, read }: PageRequest<Row, Order>,
) {
  const reader = createKeysetReader(context.prisma, context.principal.clearance);
  const { after, isBackward, size } = checkPage(list, order, page);
  const range = { after, size, isDescending: (list.orders[order] === 'descending') !== isBackward };

  const readOnce = once(async () => {
    const { keys, next } = await reader.readPage(list.table, filter, range);
    const query: object = queryFromInfo({ context, info, path: ['edges', 'node'] });
    const found = keys.length === 0 ? [] : await read(keys, query);
    const rows = new Map(found.map((row) => [identify(list, row), row]));
    const inOrder = isBackward ? keys.toReversed() : keys;
    const edges = inOrder.flatMap((key) => {
      const node = rows.get(identify(list, key));
      return node === undefined ? [] : [{ cursor: encodeCursor(list, order, key), node }];
    });
    const cursorAt = (key: Key | null | undefined) => (key ? encodeCursor(list, order, key) : null);
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
    count: once(() => reader.count(list.table, filter)),
    countExactly: once(() => reader.countExactly(list.table, filter)),
  };
}

function checkPage<Row, Order extends string>(
  list: PagedList<Row, Order>,
  order: Order,
  page: PageArguments,
): { after: Key | null; isBackward: boolean; size: number } {
  const issues: InputIssue[] = [];
  for (const field of ['first', 'last'] as const) {
    if ((page[field] ?? 0) < 0) issues.push({ field, message: 'must be at least 0' });
  }
  const clash = CLASHES.find(([one, other]) => page[one] != null && page[other] != null);
  if (clash !== undefined)
    issues.push({
      field: clash[1],
      message: `cannot be given together with ${clash[0]}: page forward with first and after, backward with last and before`,
    });
  let place: Key | null = null;
  for (const field of ['after', 'before'] as const) {
    const cursor = page[field];
    if (cursor == null) continue;
    const decoded = decodeCursor(list, order, cursor);
    if (decoded.isValid) place = decoded.place;
    else issues.push({ field, message: decoded.problem });
  }
  if (issues.length > 0) throw new InvalidInputError(issues);
  const isBackward = page.last != null || page.before != null;
  return {
    after: place,
    isBackward,
    size: Math.min(page.first ?? page.last ?? DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE),
  };
}

const CLASHES = [
  ['first', 'last'],
  ['first', 'before'],
  ['after', 'last'],
  ['after', 'before'],
] as const;

function identify<Row>({ identity }: Pick<PagedList<Row, string>, 'identity'>, row: object): string {
  const values: Readonly<Record<string, unknown>> = { ...row };
  return JSON.stringify(identity.map((field) => values[field]));
}

function once<Result>(read: () => Promise<Result>): () => Promise<Result> {
  let result: Promise<Result> | undefined;
  return () => {
    result ??= read();
    return result;
  };
}

builder.globalConnectionFields((t) => ({
  totalCount: t.field({
    type: 'SafeInt',
    description: `Number of entries in the whole list, counted up to ${MAX_ROWS_COUNTED.toLocaleString('en')} unless \`exact\` is true. \`isTotalCountExact\` is false if there may be more.`,
    args: {
      exact: t.arg.boolean({
        required: true,
        defaultValue: false,
        description: 'Count every entry, which takes seconds for a list of millions.',
      }),
    },
    resolve: async (list, { exact }) => (exact ? list.countExactly() : (await list.count()).count),
  }),
  isTotalCountExact: t.boolean({
    description: 'False if the list may have more entries than `totalCount` without `exact` returns.',
    resolve: async (list) => (await list.count()).isExact,
  }),
}));
