import { isObject } from '../../shared/json.ts';
import { quoteTable } from '../../sql-check/quoted-name.ts';
import { findWholeTable } from '../../sql-check/whole-table.ts';
import { throwIfAborted } from '../abort.ts';
import { measureValue } from '../value.ts';
import {
  allowFailedStatement,
  BATCH_BYTES,
  type OnWaiting,
  type Row,
  type RowBatch,
  type TableName,
  type TableReader,
  type Warehouse,
  WarehouseError,
} from '../warehouse.ts';
import { composeChanges, toChangedRows } from './change-feed.ts';
import type { Chunk } from './chunk.ts';
import type { FinishedStatement, StatementRun, StatementRunner } from './statement.ts';
import {
  isShortened,
  selectTypes,
  toRename,
  toTableColumn,
  withNullability,
  withWholeTypes,
} from './table-columns.ts';
import { type DeltaVersion, formatVersions, parseVersions } from './table-version.ts';

/**
 * Creates a warehouse of what speaks Spark's SQL and keeps Delta tables.
 *
 * A read is never resumed. Without an ORDER BY over every column, Spark returns rows in any order, even for a fixed
 * version of a table. Sorting a large table costs more than reading it again, when unchanged items are skipped.
 */
export function createSparkSqlWarehouse(runner: StatementRunner): Warehouse {
  const closing = new AbortController();

  /** Reads the pages of a result. The statement ends after the last page, or when the loop over them ends. */
  async function* readPages(run: StatementRun): AsyncGenerator<Iterable<Chunk>, void, undefined> {
    const signal = AbortSignal.any([run.signal, closing.signal]);
    let statement: FinishedStatement | null = null;
    try {
      throwIfAborted(signal);
      statement = await runner.run({ ...run, signal });
      for (let page = await statement.next(); page !== null; page = await statement.next()) yield page;
    } catch (error) {
      if (closing.signal.aborted && !run.signal.aborted)
        throw new WarehouseError('UNAVAILABLE', 'The warehouse is closed.');
      throw error;
    } finally {
      statement?.close();
    }
  }

  async function readAll(run: StatementRun): Promise<readonly Row[]> {
    const rows: Row[] = [];
    for await (const { rows: some } of readBatches(readPages(run), ROWS_AT_ONCE, run.signal))
      rows.push(...some);
    return rows;
  }

  function describe(what: string, signal: AbortSignal, onWaiting?: OnWaiting): Promise<readonly Row[]> {
    return readAll({ sql: `DESCRIBE ${what}`, parameters: {}, signal, onWaiting });
  }

  /** Finds the version of a table; null if it is not a Delta table, or if its history must not be read. */
  async function findTableVersion(
    table: TableName,
    signal: AbortSignal,
    onWaiting: OnWaiting | undefined,
  ): Promise<DeltaVersion | null> {
    const name = quoteTable(table);
    try {
      const [detail] = await describe(`DETAIL ${name}`, signal, onWaiting);
      if (detail?.format !== 'delta') return null;
      const { properties } = detail;
      const hasChanges = isObject(properties) && properties['delta.enableChangeDataFeed'] === 'true';
      const latest = await findLatest(name, signal, onWaiting);
      return { table: name, id: String(detail.id), ...latest, ...(hasChanges ? { hasChanges } : {}) };
    } catch (error) {
      return allowFailedStatement(error);
    }
  }

  async function findLatest(
    name: string,
    signal: AbortSignal,
    onWaiting: OnWaiting | undefined,
  ): Promise<Pick<DeltaVersion, 'version' | 'committedAt'>> {
    const [latest] = await describe(`HISTORY ${name} LIMIT 1`, signal, onWaiting);
    return { version: Number(latest?.version), committedAt: String(latest?.timestamp) };
  }

  /** Describes a table as JSON, which alone says whether a column can be NULL; null where Spark does not support that, as for open-source Delta. */
  async function describeAsJson(
    table: TableName,
    signal: AbortSignal,
    onWaiting: OnWaiting | undefined,
  ): Promise<Row | null> {
    try {
      const [row] = await describe(`TABLE EXTENDED ${quoteTable(table)} AS JSON`, signal, onWaiting);
      return row ?? null;
    } catch (error) {
      return allowFailedStatement(error);
    }
  }

  /** Finds what has replaced the rows of a table after an earlier version; null for nothing. */
  async function findTableRewrite(
    earlier: DeltaVersion,
    later: DeltaVersion,
    signal: AbortSignal,
    onWaiting: OnWaiting | undefined,
  ): Promise<string | null> {
    if (later.id !== earlier.id || later.version < earlier.version)
      return `The table was replaced by another one of its name after version ${earlier.version}`;
    if (later.version === earlier.version) return null;
    const history = await listHistory(earlier, later, signal, onWaiting);
    const restored = history.find(({ operation }) => operation === 'RESTORE');
    if (restored !== undefined)
      return `The table was restored to an earlier version, as version ${restored.version}`;
    const clone = history.find(isClone);
    if (clone !== undefined && !(await repeatsClone(clone, earlier, signal, onWaiting)))
      return `The table was replaced by a clone of another one, as version ${clone.version}`;
    // A clone brings its rows back that were deleted before it.
    const sinceClone = clone === undefined ? history : history.slice(0, history.indexOf(clone));
    for (const row of sinceClone)
      if (await replacesRows(row, earlier.table, signal, onWaiting))
        return `All rows of the table were ${isWrite(row) ? 'overwritten' : 'deleted'}, as version ${row.version}`;
    // Delta removes the oldest part of a log.
    return history.length < later.version - earlier.version
      ? `The history of the table since version ${earlier.version} is not kept any more, so the table may have been restored to an earlier version`
      : null;
  }

  /** Whether a version of a table has none of the rows of the one before: those that it has are all its own. */
  async function replacesRows(
    row: Row,
    table: string,
    signal: AbortSignal,
    onWaiting: OnWaiting | undefined,
  ): Promise<boolean> {
    if (isOverwrite(row) || row.operation === 'TRUNCATE') return true;
    const written = countWrittenBesideRemoved(row);
    if (written === null) return false;
    const sql = `SELECT COUNT(*) AS total FROM ${table} VERSION AS OF ${row.version}`;
    try {
      const [counted] = await readAll({ sql, parameters: {}, signal, onWaiting });
      return Number(counted?.total) <= written;
    } catch (error) {
      // Rows that are read again are stored once; rows that are left out are missed.
      if (error instanceof WarehouseError && VERSION_GONE.test(error.message)) return true;
      throw error;
    }
  }

  /** Whether a clone brings a table up to date that was one of the same table before: the rows are those of before, with changes. */
  async function repeatsClone(
    clone: Row,
    { table, version }: DeltaVersion,
    signal: AbortSignal,
    onWaiting: OnWaiting | undefined,
  ): Promise<boolean> {
    const history = await describe(`HISTORY ${table}`, signal, onWaiting);
    const before = history.find((row) => isClone(row) && Number(row.version) <= version);
    return before !== undefined && findCloned(before) === findCloned(clone);
  }

  /** Lists what is kept of the history after one version of a table up to another, the last first. */
  async function listHistory(
    after: DeltaVersion,
    last: DeltaVersion,
    signal: AbortSignal,
    onWaiting: OnWaiting | undefined,
  ): Promise<readonly Row[]> {
    let limit = last.version - after.version;
    for (;;) {
      const history = await describe(`HISTORY ${last.table} LIMIT ${limit}`, signal, onWaiting);
      const newer = Number(history[0]?.version ?? 0) - last.version;
      // The limit counts from the newest version, and others may have come since the last one.
      if (history.length < limit || newer <= limit - (last.version - after.version))
        return history.filter(
          ({ version }) => Number(version) > after.version && Number(version) <= last.version,
        );
      limit += newer;
    }
  }

  /** Checks that tables are still those that had the versions: another one counts its versions from 0, too. */
  async function checkIdentity(versions: readonly DeltaVersion[], signal: AbortSignal): Promise<void> {
    for (const { table, id, version, committedAt } of versions) {
      const [detail] = await describe(`DETAIL ${table}`, signal);
      if (detail?.id === id) continue;
      // CREATE OR REPLACE gives a table another id, and keeps its history.
      const history = await describe(`HISTORY ${table}`, signal);
      if (history.some((row) => Number(row.version) === version && row.timestamp === committedAt)) continue;
      throw new WarehouseError('CHANGED', `The table ${table} was replaced by another one.`);
    }
  }

  /** @param versions those of the tables; empty to read them as they are. */
  function createReader(versions: readonly DeltaVersion[]): TableReader {
    const pin = (sql: string) => (versions.length === 0 ? sql : pinStatement(sql, versions));
    const forgetFiles = () => {
      if (versions.length === 0) runner.forgetFiles?.();
    };
    const readPinned = (sql: string, run: Omit<StatementRun, 'sql'>): Promise<readonly Row[]> =>
      // The warehouse may delete a version at any time.
      readAll({ sql, ...run }).catch((error: unknown) => {
        throw toChangedError(error, versions);
      });
    return {
      async describeTable(table, signal, onWaiting) {
        forgetFiles();
        // Unlike DESCRIBE TABLE, it gives the columns alone, and those of the version.
        const run = { parameters: {}, signal, onWaiting };
        const sql = `DESCRIBE QUERY ${await pin(`SELECT * FROM ${quoteTable(table)}`)}`;
        const described = (await readPinned(sql, run)).map(toTableColumn);
        const columns = withNullability(described, await describeAsJson(table, signal, onWaiting));
        const shortened = columns.filter(isShortened);
        if (shortened.length === 0) return columns;
        const [types = {}] = await readPinned(await pin(selectTypes(shortened, quoteTable(table))), run);
        return withWholeTypes(columns, types);
      },

      async countRows({ sql, parameters }, signal, onWaiting) {
        const counting = `SELECT COUNT(*) AS total FROM (${await pin(sql)})`;
        const [row] = await readPinned(counting, { parameters, signal, onWaiting });
        return Number(row?.total ?? 0);
      },

      async readRows({ sql, parameters }, { resumeAfter, batchSize, signal, onWaiting }) {
        throwIfAborted(signal);
        forgetFiles();
        const run = { sql: await pin(sql), parameters, signal, onWaiting };
        const batches = readBatches(readPages(run), batchSize, signal);
        return {
          resumed: resumeAfter === null,
          batches: versions.length === 0 ? batches : readVersion(batches, versions, signal),
        };
      },
    };
  }

  /** Reads batches of tables at versions, which the warehouse may delete at any time. */
  async function* readVersion(
    batches: AsyncIterable<RowBatch>,
    versions: readonly DeltaVersion[],
    signal: AbortSignal,
  ): AsyncGenerator<RowBatch, void, undefined> {
    try {
      await checkIdentity(versions, signal);
      yield* batches;
      // The statement finds its tables by their names, so another one may have come before it began.
      await checkIdentity(versions, signal);
    } catch (error) {
      throw toChangedError(error, versions);
    }
  }

  const current = createReader([]);
  return {
    ...current,

    readRows: (statement, options) => {
      const { version = null } = options;
      const reader = version === null ? current : createReader(parseVersions(version));
      return reader.readRows(statement, options);
    },

    async findVersion(tables, signal, onWaiting) {
      const versions: DeltaVersion[] = [];
      for (const table of tables) {
        const version = await findTableVersion(table, signal, onWaiting);
        if (version === null) return null;
        versions.push(version);
      }
      return formatVersions(versions);
    },

    async findContents(tables, signal, onWaiting) {
      try {
        const contents: unknown[] = [];
        for (const name of tables.map(quoteTable)) {
          const { version, committedAt } = await findLatest(name, signal, onWaiting);
          contents.push([name, version, committedAt]);
        }
        return JSON.stringify(contents);
      } catch (error) {
        return allowFailedStatement(error);
      }
    },

    // Delta counts from its statistics.
    hasRowCount: async (_table, version) => version !== null,

    history: {
      readAt: (version) => createReader(parseVersions(version)),

      describe(version) {
        const [only, ...others] = parseVersions(version);
        if (only === undefined || others.length > 0) return null;
        return { number: only.version, committedAt: new Date(only.committedAt) };
      },

      async findRewrite(from, to, signal, onWaiting) {
        const earlier = new Map(parseVersions(from).map((version) => [version.table, version]));
        for (const later of parseVersions(to)) {
          const version = earlier.get(later.table);
          const rewrite =
            version === undefined ? null : await findTableRewrite(version, later, signal, onWaiting);
          if (rewrite !== null) return rewrite;
        }
        return null;
      },

      changes: {
        isKept: (version) => parseVersions(version).every(({ hasChanges = false }) => hasChanges),

        async readChanges(table, range, { batchSize, signal, onWaiting }) {
          throwIfAborted(signal);
          const sql = composeChanges(table, range);
          if (sql === null) return { resumed: false, batches: readNothing() };
          const run = { sql, parameters: range.key.parameters, signal, onWaiting };
          const batches = readBatches(readPages(run), batchSize, signal);
          return {
            resumed: false,
            batches: toChangedRows(readVersion(batches, parseVersions(range.to), signal), range),
          };
        },
      },

      async listRenames(from, to, signal, onWaiting) {
        const [earlier] = parseVersions(from);
        const [later] = parseVersions(to);
        if (earlier === undefined || later === undefined || later.id !== earlier.id) return [];
        if (later.version <= earlier.version) return [];
        const history = await listHistory(earlier, later, signal, onWaiting);
        return history.toReversed().flatMap((row) => toRename(row) ?? []);
      },
    },

    countUnreadable: async () => 0,

    ...(runner.endStatements && { endStatements: runner.endStatements }),

    async close() {
      closing.abort();
      await runner.close();
    },
  };
}

/** Whether a version of a table was made by CLONE, which leaves a table its id. */
function isClone({ operation }: Row): boolean {
  return operation === 'CLONE';
}

function isWrite({ operation }: Row): boolean {
  return operation === 'WRITE' || operation === 'STREAMING UPDATE';
}

/** Whether all rows were overwritten. Of partitions that a statement finds by itself, the history does not tell. */
function isOverwrite({ operation, operationParameters }: Row): boolean {
  const parameters = toObject(operationParameters);
  if (operation === 'STREAMING UPDATE') return parameters.outputMode === 'Complete';
  return operation === 'WRITE' && parameters.mode === 'Overwrite' && typeof parameters.predicate !== 'string';
}

/**
 * Counts the rows that a statement has written which removed others, as far as the history tells whether all were removed.
 * @returns null if it has removed none, or has kept some.
 */
function countWrittenBesideRemoved({ operation, operationParameters, operationMetrics }: Row): number | null {
  const metrics = toObject(operationMetrics);
  const count = (...names: readonly string[]) =>
    names.reduce((sum, name) => sum + Number(metrics[name] ?? 0), 0);
  switch (operation) {
    case 'DELETE':
      return count('numCopiedRows', 'numDeletionVectorsAdded') > 0 ? null : 0;
    case 'MERGE':
      return count('numTargetRowsDeleted') === 0 ||
        count('numTargetRowsCopied', 'numTargetRowsUpdated', 'numTargetDeletionVectorsAdded') > 0
        ? null
        : count('numTargetRowsInserted');
    case 'WRITE':
      return toObject(operationParameters).mode !== 'Overwrite' || count('numCopiedRows') > 0
        ? null
        : Number(metrics.numOutputRows ?? Number.POSITIVE_INFINITY);
    default:
      return null;
  }
}

function toObject(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {};
}

function findCloned({ operationParameters }: Row): string {
  return String(toObject(operationParameters).source ?? '');
}

/** Makes a statement read tables as of these versions; only other statements than whole tables need the parser. */
async function pinStatement(sql: string, versions: readonly DeltaVersion[]): Promise<string> {
  const whole = findWholeTable(sql);
  const found = whole && versions.find(({ table }) => table === quoteTable(whole));
  if (found) return `${sql} VERSION AS OF ${found.version}`;
  const { pinVersions } = await import('./pin-versions.ts');
  return pinVersions(sql, versions);
}

async function* readNothing(): AsyncGenerator<RowBatch, void, undefined> {}

/** Rows that are converted before they are measured. */
const ROWS_AT_ONCE = 100;

async function* readBatches(
  pages: AsyncIterable<Iterable<Chunk>>,
  batchSize: number,
  signal: AbortSignal,
): AsyncGenerator<RowBatch, void, undefined> {
  let rows: Row[] = [];
  let bytes = 0;
  let textColumns: readonly string[] = [];
  for await (const page of pages) {
    for (const chunk of page) {
      textColumns = chunk.textColumns;
      let first = 0;
      while (first < chunk.rowCount) {
        const end = Math.min(chunk.rowCount, first + Math.min(ROWS_AT_ONCE, batchSize - rows.length));
        for (const row of chunk.rows(first, end)) {
          rows.push(row);
          bytes += measureValue(row);
          if (rows.length < batchSize && bytes < BATCH_BYTES) continue;
          throwIfAborted(signal);
          yield toBatch(rows, textColumns);
          rows = [];
          bytes = 0;
        }
        first = end;
      }
    }
  }
  throwIfAborted(signal);
  if (rows.length > 0) yield toBatch(rows, textColumns);
}

/** Creates a batch without a fingerprint, because row order changes between reads and the fingerprint would capture only that. */
function toBatch(rows: readonly Row[], textColumns: readonly string[]): RowBatch {
  return { rows, textColumns, size: rows.length, fingerprint: null, position: null };
}

/** Converts the error of a version that the table no longer has, after VACUUM or a new table of the same name. */
function toChangedError(error: unknown, versions: readonly DeltaVersion[]): unknown {
  if (!(error instanceof WarehouseError) || versions.length === 0) return error;
  if (error.code !== 'TABLE_NOT_FOUND' && !VERSION_GONE.test(error.message)) return error;
  const names = versions.map(({ table, version }) => `${version} of ${table}`).join(', ');
  return new WarehouseError('CHANGED', `Version ${names} is gone: ${error.message}`, { cause: error });
}

const VERSION_GONE =
  /time.travel|DELTA_(?:VERSION|FILE|TABLE)_NOT_FOUND|DELTA_(?:LOG|CHANGE)_FILE_NOT_FOUND|DELTA_TRUNCATED|DELTA_STATE_RECOVER|FILE_NOT_EXIST|FileNotFoundException/i;
