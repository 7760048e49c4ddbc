import { quoteTable } from '../../sql-check/quoted-name.ts';
import { setKey } from '../value.ts';
import { type ChangeRange, type Row, type RowBatch, type TableName, WarehouseError } from '../warehouse.ts';
import { parseVersions } from './table-version.ts';

/**
 * Composes the statement that reads what has become of the rows that changed; null if nothing has. Of the rows of a key, one
 * that came more often than it went is left; otherwise the last change decides, and within a version what came. A key whose last
 * row went has lost its row if more of its rows went than came. Otherwise, it has what it had before the range.
 */
export function composeChanges(table: TableName, { from, to, key, text }: ChangeRange): string | null {
  const [earlier] = parseVersions(from);
  const [later] = parseVersions(to);
  if (earlier === undefined || later === undefined || later.version <= earlier.version) return null;
  const name = quoteTable(table).replaceAll('\\', '\\\\').replaceAll("'", "\\'");
  const changes = `SELECT *, ${key.sql} AS ${KEY}, ${text.sql} AS ${TEXT},
    CASE WHEN _change_type IN ('insert', 'update_postimage') THEN 1 ELSE -1 END AS ${SIGN}
    FROM table_changes('${name}', ${earlier.version + 1}, ${later.version})`;
  const counted = `SELECT *, SUM(${SIGN}) OVER (PARTITION BY ${KEY}, ${TEXT}) AS ${ROW_NET},
    SUM(${SIGN}) OVER (PARTITION BY ${KEY}) AS ${KEY_NET} FROM (${changes})`;
  const ranked = `SELECT *, ROW_NUMBER() OVER (PARTITION BY ${KEY}
    ORDER BY ${SIGN} = 1 AND ${ROW_NET} > 0 DESC, _commit_version DESC, ${SIGN} DESC, ${TEXT}) AS ${RANK} FROM (${counted})`;
  return `SELECT * FROM (${ranked}) WHERE ${RANK} = 1`;
}

const KEY = '__blade_key';
const TEXT = '__blade_text';
const SIGN = '__blade_sign';
const ROW_NET = '__blade_row_net';
const KEY_NET = '__blade_key_net';
const RANK = '__blade_rank';

/** Separates the rows that are left from those that are gone or have passed, without the columns of the statement. */
export async function* toChangedRows(
  batches: AsyncIterable<RowBatch>,
  { columns }: ChangeRange,
): AsyncGenerator<RowBatch, void, undefined> {
  const names = new Set(columns);
  try {
    for await (const batch of batches) {
      const rows: Row[] = [];
      const gone: Row[] = [];
      const passed: Row[] = [];
      for (const row of batch.rows) {
        const went = Number(row[KEY_NET]) < 0 ? gone : passed;
        (row[SIGN] === 1 ? rows : went).push(pick(row, columns));
      }
      const textColumns = batch.textColumns?.filter((name) => names.has(name)) ?? [];
      yield { ...batch, rows, gone, passed, textColumns, size: rows.length };
    }
  } catch (error) {
    throw toGoneError(error);
  }
}

function pick(row: Row, columns: readonly string[]): Row {
  const picked: Record<string, Row[string]> = {};
  for (const name of columns) setKey(picked, name, row[name] ?? null);
  return picked;
}

/** Converts the error of a feed that does not have the changes: it was off, they are vacuumed, or the schema is another one. */
function toGoneError(error: unknown): unknown {
  if (!(error instanceof WarehouseError) || !CHANGES_GONE.test(error.message)) return error;
  // The rest are whole schemas, as JSON.
  const [reason = ''] = error.message.split(/ Your read schema is /);
  return new WarehouseError('CHANGES_GONE', `The change feed cannot be read: ${reason}`, { cause: error });
}

const CHANGES_GONE =
  /\[DELTA_(?:MISSING_CHANGE_DATA|CHANGE_TABLE_FEED_DISABLED|CHANGE_DATA_FEED_INCOMPATIBLE_\w+|CHANGE_DATA_FILE_NOT_FOUND|CHANGE_FILE_NOT_FOUND|LOG_FILE_NOT_FOUND\w*|VERSION_NOT_FOUND\w*|VERSION_INVALID|TRUNCATED_TRANSACTION_LOG|INVALID_CDC_RANGE|FILE_NOT_FOUND\w*|STATE_RECOVER_ERRORS|TIME_TRAVEL\w*)\]|FILE_NOT_EXIST|FileNotFoundException|Provided Start version/;
