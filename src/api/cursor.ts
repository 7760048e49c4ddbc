import { InvalidInputError } from '../jobs/job-errors.ts';

interface PageArguments {
  readonly first?: number | null | undefined;
  readonly last?: number | null | undefined;
  readonly after?: string | null | undefined;
  readonly before?: string | null | undefined;
}

/** The form of a cursor's key, by the column that the connection is ordered by. */
export const cursorKeys = {
  uuid: /^GPC:S:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
  bigint: /^GPC:(I|N|B):\d{1,19}$/,
  pair: /^GPC:J:\["[^"]*",".+"\]$/s,
} as const;

/**
 * Checks the arguments of a connection before they reach the database.
 * @throws InvalidInputError naming the argument.
 */
export function checkPage(page: PageArguments, key: RegExp): void {
  for (const name of ['first', 'last'] as const) {
    const size = page[name];
    if (size != null && size < 0)
      throw new InvalidInputError([{ field: name, message: 'must be at least 0' }]);
  }
  if (page.first != null && page.last != null) {
    throw new InvalidInputError([{ field: 'last', message: 'cannot be given together with first' }]);
  }
  for (const name of ['after', 'before'] as const) {
    const cursor = page[name];
    if (cursor != null && !key.test(Buffer.from(cursor, 'base64').toString())) {
      throw new InvalidInputError([
        {
          field: name,
          message: 'is not a cursor of this list: use endCursor or startCursor of a page that it gave',
        },
      ]);
    }
  }
}
