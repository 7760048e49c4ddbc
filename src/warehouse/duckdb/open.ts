import { randomUUID } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JsonValue } from '../../shared/json.ts';
import { throwIfAborted } from '../abort.ts';
import { setKey } from '../value.ts';
import {
  type CheckedStatement,
  type Row,
  type RowBatch,
  type Warehouse,
  WarehouseError,
} from '../warehouse.ts';
import type { ReadingLimits } from '../warehouse-definition.ts';
import { toDuckDbSql } from './dialect.ts';
import type { ColumnValues, EngineStatement } from './engine.ts';
import { type EngineClient, type ReceivedBatch, startEngine } from './engine-client.ts';
import type { PreparedRead } from './engine-messages.ts';
import { reported } from './error.ts';
import { DEFAULT_DISK_MEGABYTES, DEFAULT_MEMORY_MEGABYTES } from './limits.ts';
import { MEGABYTE } from './overrun.ts';

/** The folder of a folder warehouse, and what its engine may take. */
export interface FolderWarehouseOptions extends ReadingLimits {
  /** `<folder>/<catalog>/<schema>/<table>.(parquet|csv|ndjson)`. */
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

  return {
    async describeTable({ catalog, schema, table }, signal) {
      throwIfAborted(signal);
      const name = { catalog, schema, table };
      return findEngine().ask({ method: 'describeTable', table: name }, signal);
    },

    async findVersion(tables, signal) {
      throwIfAborted(signal);
      const names = tables.map(({ catalog, schema, table }) => ({ catalog, schema, table }));
      return findEngine().ask({ method: 'findVersion', tables: names }, signal);
    },

    async countUnreadable({ catalog, schema, table }, signal) {
      throwIfAborted(signal);
      const name = { catalog, schema, table };
      return findEngine().ask({ method: 'countUnreadable', table: name }, signal);
    },

    async countRows(checked, signal) {
      throwIfAborted(signal);
      const statement = await translate(checked);
      return findEngine().ask({ method: 'countRows', statement }, signal);
    },

    async readRows(
      checked,
      { batchSize, resumeAfter, signal, withFingerprints = false, version = null, isKnown },
    ) {
      throwIfAborted(signal);
      const statement = await translate(checked);
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

async function translate(checked: CheckedStatement): Promise<EngineStatement> {
  const { parameters, tables, isRepeatable, withUnreadable } = checked;
  const sql = await reported({ parameters, files: [] }, async () => toDuckDbSql(checked.sql));
  return { sql, parameters, tables, isRepeatable, withUnreadable };
}

function toRowBatch(batch: ReceivedBatch): RowBatch {
  const { size, names, unreadable, fingerprint, position, values } = batch;
  const kept =
    values === null
      ? { load: async () => toRows(names, await batch.loadValues(), size), release: () => batch.release() }
      : null;
  return {
    size,
    get rows() {
      if (values === null) throw new Error('the rows of a batch that is known must be loaded first');
      return toRows(names, values(), size);
    },
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
