import { randomUUID } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asciiLowerCase } from '../../shared/ascii-case.ts';
import type { JsonValue } from '../../shared/json.ts';
import { findWholeTable } from '../../sql-check/whole-table.ts';
import { throwIfAborted } from '../abort.ts';
import { setKey } from '../value.ts';
import {
  type CheckedStatement,
  type Row,
  type RowBatch,
  type TableColumn,
  type TableName,
  type Warehouse,
  WarehouseError,
} from '../warehouse.ts';
import type { ReadingLimits } from '../warehouse-definition.ts';
import type { TableTypes } from './dialect/scope.ts';
import type { ColumnValues, EngineStatement } from './engine.ts';
import { type EngineClient, type ReceivedBatch, startEngine } from './engine-client.ts';
import type { PreparedRead } from './engine-messages.ts';
import { reported } from './error.ts';
import { areSameFiles, createFilesVersion } from './files-version.ts';
import { DEFAULT_DISK_MEGABYTES, DEFAULT_MEMORY_MEGABYTES } from './limits.ts';
import { MEGABYTE } from './overrun.ts';
import { findTableFiles } from './table-files.ts';
import { quoteName } from './text.ts';

/** The folder of a folder warehouse, and what its engine may take. */
export interface FolderWarehouseOptions extends ReadingLimits {
  /** Its tables are `<folder>/<catalog>/<schema>/<table>.csv`, for example; see `findTableFiles`. */
  readonly folder: string;
  /** The most memory of the engine, in megabytes. Default: 2,000. */
  readonly memoryMegabytes?: number;
  /** The most temporary disk of the engine, in megabytes. Default: 8,000. */
  readonly diskMegabytes?: number;
}

/**
 * Opens a folder of files as a warehouse. Rows from anywhere can be queried once they are written there. Nothing outside the
 * folder can be read, and nothing can be written. The next statement sees new and changed files.
 *
 * DuckDB runs in a process that is started when a statement needs it, so a statement that crashes it, exceeds its memory or
 * cannot be stopped ends only that process.
 * @throws WarehouseError UNAVAILABLE if there is no such folder.
 */
export async function openFolderWarehouse(options: FolderWarehouseOptions): Promise<Warehouse> {
  const { statementTimeoutMs = null } = options;
  const { memoryMegabytes = DEFAULT_MEMORY_MEGABYTES, diskMegabytes = DEFAULT_DISK_MEGABYTES } = options;
  const folder = await realpath(options.folder).catch(() => {
    throw new WarehouseError('UNAVAILABLE', 'The folder of the warehouse does not exist or cannot be read.');
  });
  const engines = new Set<EngineClient>();
  let isClosed = false;

  /** Returns the engine for the next statement. */
  function findEngine(): EngineClient {
    if (isClosed) throw new WarehouseError('UNAVAILABLE', 'The warehouse is closed.');
    for (const engine of engines) if (!engine.isRetired) return engine;
    const engine = startEngine({
      folder,
      overflow: join(tmpdir(), `blade-warehouse-${randomUUID()}`),
      timeoutMs: statementTimeoutMs,
      memoryBytes: memoryMegabytes * MEGABYTE,
      diskBytes: diskMegabytes * MEGABYTE,
    });
    engines.add(engine);
    void engine.ended.then(() => engines.delete(engine));
    return engine;
  }

  /** Translates a statement, with the types of its columns where they decide on how. */
  async function translate(checked: CheckedStatement, signal: AbortSignal): Promise<EngineStatement> {
    const { parameters, tables, isRepeatable, withUnreadable, parts } = checked;
    const whole = translateWholeTable(checked.sql);
    const sql =
      whole ??
      (await reported({ parameters, files: [] }, async () => {
        const { translateOnTables } = await import('./dialect.ts');
        return translateOnTables(checked.sql, parameters, () => describeTables(tables, signal));
      }));
    return { sql, parameters, tables, isWholeTable: whole !== null, isRepeatable, withUnreadable, parts };
  }

  async function describeTables(tables: readonly TableName[], signal: AbortSignal): Promise<TableTypes> {
    const types = new Map<string, ReadonlyMap<string, string | null>>();
    for (const table of tables.map(toName)) {
      const columns = await findEngine().ask<readonly (readonly [string, string | null])[]>(
        { method: 'findKnownTypes', table },
        signal,
      );
      types.set(
        asciiLowerCase(`${table.catalog}.${table.schema}.${table.table}`),
        new Map(columns.map(([column, type]) => [asciiLowerCase(column), type])),
      );
    }
    return types;
  }

  return {
    async describeTable(table, signal) {
      throwIfAborted(signal);
      const columns = await findEngine().ask<readonly TableColumn[]>(
        { method: 'describeTable', table: toName(table) },
        signal,
      );
      const { format, files } = await findTableFiles(folder, table);
      // Only Parquet files state types, and not those of their folders.
      const isStated = (name: string) => format === 'parquet' && files[0]?.partition.has(name) !== true;
      return columns.map((column) => (isStated(column.name) ? column : { ...column, isInferred: true }));
    },

    async findVersion(tables, signal) {
      throwIfAborted(signal);
      return findEngine().ask({ method: 'findVersion', tables: tables.map(toName) }, signal);
    },

    async findContents(tables, signal) {
      throwIfAborted(signal);
      return findEngine().ask({ method: 'findContents', tables: tables.map(toName) }, signal);
    },

    async hasRowCount(table) {
      return (await findTableFiles(folder, table)).format === 'parquet';
    },

    async findParts(table, version, signal) {
      throwIfAborted(signal);
      const found = await findTableFiles(folder, table);
      if (!areSameFiles(createFilesVersion([found]), version))
        throw new WarehouseError('CHANGED', `${found.label} was changed while its read was planned.`);
      return found.files.map(({ bytes }) => ({ bytes }));
    },

    async countUnreadable(table, signal) {
      throwIfAborted(signal);
      return findEngine().ask({ method: 'countUnreadable', table: toName(table) }, signal);
    },

    async countRows(checked, signal) {
      throwIfAborted(signal);
      const statement = await translate(checked, signal);
      return findEngine().ask({ method: 'countRows', statement }, signal);
    },

    async readRows(
      checked,
      { batchSize, resumeAfter, signal, withFingerprints = false, version = null, isKnown },
    ) {
      throwIfAborted(signal);
      const statement = await translate(checked, signal);
      const read = { batchSize, resumeAfter, withFingerprints, version };
      const { resumed, versions } = await findEngine().ask<PreparedRead>(
        { method: 'prepareRead', statement, options: read },
        signal,
      );

      async function* readBatches(): AsyncGenerator<RowBatch, void, undefined> {
        throwIfAborted(signal);
        const reading = findEngine().read({ statement, options: read, versions }, signal, isKnown);
        try {
          for (let batch = await reading.next(); batch !== null; batch = await reading.next())
            yield toRowBatch(batch);
        } finally {
          await reading.close();
        }
      }

      return { resumed, batches: readBatches() };
    },

    async close() {
      isClosed = true;
      await Promise.all([...engines].map((engine) => engine.close()));
    },
  };
}

/** Translates a statement that selects everything of a table, which needs no parser; null for any other. */
function translateWholeTable(sql: string): string | null {
  const whole = findWholeTable(sql);
  if (whole === null) return null;
  const { catalog, schema, table } = whole;
  return `SELECT * FROM ${[catalog, schema, table].map(quoteName).join('.')}`;
}

/** What the engine needs of a table, and its process can be sent. */
function toName({ catalog, schema, table }: TableName): TableName {
  return { catalog, schema, table };
}

function toRowBatch(batch: ReceivedBatch): RowBatch {
  const { size, names, textNames, unreadable, fingerprint, position, values } = batch;
  const rowCount = size - (unreadable?.length ?? 0);
  const kept =
    values === null
      ? {
          load: async () => toRows(names, await batch.loadValues(), rowCount),
          release: () => batch.release(),
        }
      : null;
  return {
    size,
    get rows() {
      if (values === null) throw new Error('the rows of a batch that is known must be loaded first');
      return toRows(names, values(), rowCount);
    },
    textColumns: textNames,
    ...(unreadable === null ? {} : { unreadable }),
    ...(kept === null ? {} : { kept }),
    fingerprint,
    position,
  };
}

function toRows(names: readonly string[], values: ColumnValues, size: number): readonly Row[] {
  // Rows with the keys of one object are made faster than one key after the other.
  const empty: Record<string, JsonValue> = {};
  for (const name of names) setKey(empty, name, null);
  const rows = Array.from({ length: names.length === 0 ? 0 : size }, () => ({ ...empty }));
  names.forEach((name, index) => {
    const column = values[index] ?? [];
    const special = name === '__proto__';
    rows.forEach((row, place) => {
      if (special) setKey(row, name, column[place] ?? null);
      else row[name] = column[place] ?? null;
    });
  });
  return rows;
}
