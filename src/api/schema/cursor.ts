import type { Key, KeyValue, PagedTable } from '../../database/paging/paged-table.ts';
import { isStorableText } from '../../shared/storable-text.ts';
import { isUuid } from './input-checks.ts';

/** What the cursors of a list are made of. */
export interface CursorForm<Row> {
  /** No other list has it. */
  readonly name: string;
  readonly table: Pick<PagedTable<Row>, 'key' | 'types'>;
}

/** Names a place in one order of a list. It stays good when the row that stands there changes or is deleted. */
export function encodeCursor<Row>({ name, table }: CursorForm<Row>, order: string, place: Key): string {
  const values = table.key.map((field) => place[field]);
  return Buffer.from(JSON.stringify([name, order, ...values])).toString('base64url');
}

export type DecodedCursor =
  | { readonly isGood: true; readonly place: Key }
  /** The problem goes on after the name of the argument. */
  | { readonly isGood: false; readonly problem: string };

/** Reads a cursor of one order of a list. */
export function decodeCursor<Row>(
  { name, table: { key, types } }: CursorForm<Row>,
  order: string,
  cursor: string,
): DecodedCursor {
  const [list, itsOrder, ...texts] = parsedTexts(cursor);
  if (list !== name || texts.length !== key.length) return FOREIGN;
  if (itsOrder !== order)
    return { isGood: false, problem: `is a cursor of another order: ${order} needs one of its own` };
  const typeOf: Readonly<Record<string, string | undefined>> = types;
  const values = key.map((field, index) => [field, parsedValue(typeOf[field], texts[index] ?? '')] as const);
  if (!values.every((pair): pair is readonly [(typeof pair)[0], KeyValue] => pair[1] !== null))
    return FOREIGN;
  return { isGood: true, place: Object.fromEntries(values) };
}

const FOREIGN: DecodedCursor = {
  isGood: false,
  problem: 'is not a cursor of this list: use endCursor or startCursor of a page that it gave',
};

function parsedTexts(cursor: string): readonly string[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(parsed) && parsed.every((part) => typeof part === 'string') ? parsed : [];
  } catch {
    return [];
  }
}

/** Null where the text is no value of the type. */
function parsedValue(type: string | undefined, text: string): KeyValue | null {
  if (type === 'uuid') return isUuid(text) ? text : null;
  if (type !== 'timestamptz') return isStorableText(text) ? text : null;
  const time = new Date(text);
  // Four digits of a year: PostgreSQL does not know every time that a Date does.
  return /^\d{4}-/.test(text) && !Number.isNaN(time.getTime()) ? time : null;
}
