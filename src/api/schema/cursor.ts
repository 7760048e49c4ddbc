import type { Key, KeyValue, PagedTable } from '../../database/paging/paged-table.ts';
import { isStorableText } from '../../shared/storable-text.ts';
import { isUuid } from './input-checks.ts';

/** What identifies the cursors of a list. */
export interface CursorForm<Row> {
  /** Unique among lists. */
  readonly name: string;
  readonly table: Pick<PagedTable<Row>, 'key' | 'types'>;
}

/** Encodes a place in one order of a list. The cursor stays valid when the row at that place changes or is deleted. */
export function encodeCursor<Row>({ name, table }: CursorForm<Row>, order: string, place: Key): string {
  const values = table.key.map((field) => place[field]);
  return Buffer.from(JSON.stringify([name, order, ...values])).toString('base64url');
}

export type DecodedCursor =
  | { readonly isValid: true; readonly place: Key }
  /** The problem completes a sentence that begins with the name of the argument. */
  | { readonly isValid: false; readonly problem: string };

/** Decodes a cursor of one order of a list. */
export function decodeCursor<Row>(
  { name, table: { key, types } }: CursorForm<Row>,
  order: string,
  cursor: string,
): DecodedCursor {
  const [list, cursorOrder, ...texts] = decodeTexts(cursor);
  if (list !== name || texts.length !== key.length) return FOREIGN;
  if (cursorOrder !== order)
    return {
      isValid: false,
      problem: `is a cursor of another order: use one of a page in the order ${order}`,
    };
  const typesByField: Readonly<Record<string, string | undefined>> = types;
  const values = key.map(
    (field, index) => [field, decodeValue(typesByField[field], texts[index] ?? '')] as const,
  );
  if (!values.every((pair): pair is readonly [(typeof pair)[0], KeyValue] => pair[1] !== null))
    return FOREIGN;
  return { isValid: true, place: Object.fromEntries(values) };
}

const FOREIGN: DecodedCursor = {
  isValid: false,
  problem: 'is not a cursor of this list: use startCursor or endCursor of one of its pages',
};

function decodeTexts(cursor: string): readonly string[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(parsed) && parsed.every((part) => typeof part === 'string') ? parsed : [];
  } catch {
    return [];
  }
}

/** Returns null if the text is not a value of the type. */
function decodeValue(type: string | undefined, text: string): KeyValue | null {
  if (type === 'uuid') return isUuid(text) ? text : null;
  if (type !== 'timestamptz') return isStorableText(text) ? text : null;
  const time = new Date(text);
  // Only years of four digits: PostgreSQL cannot hold every time that a Date can.
  return /^\d{4}-/.test(text) && !Number.isNaN(time.getTime()) ? time : null;
}
