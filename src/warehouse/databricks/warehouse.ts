import { setTimeout } from 'node:timers/promises';
import { quoteTable } from '../../sql-check/statement.ts';
import { throwIfAborted } from '../abort.ts';
import { type Row, type RowBatch, type TableColumn, type Warehouse, WarehouseError } from '../warehouse.ts';
import type { Chunk } from './chunk.ts';
import { createSessions, type DatabricksOptions } from './session.ts';
import { type FinishedStatement, runStatement, type StatementRun } from './statement.ts';
import { formatType } from './type.ts';

/**
 * Opens a Databricks SQL warehouse. Sends nothing before the first statement, because that would start a stopped warehouse,
 * which can take minutes.
 *
 * A read is never resumed. Without an ORDER BY over every column, Databricks returns rows in any order, even for a fixed
 * version of a table. Sorting a large table costs more than reading it again, when unchanged items are skipped.
 */
export function openDatabricksWarehouse(options: DatabricksOptions): Warehouse {
  const sessions = createSessions(options);
  const background = new Set<Promise<unknown>>();
  const closing = new AbortController();
  const settings = {
    sessions,
    pageRows: PAGE_ROWS,
    useCloudFetch: options.useCloudFetch ?? true,
    waitingNoticeMs: options.waitingNoticeMs ?? 10_000,
    trackBackground(work: Promise<unknown>) {
      // The warehouse ends a statement that cannot be ended from here and that nobody reads.
      const settled = work.catch(() => {}).finally(() => background.delete(settled));
      background.add(settled);
    },
  };

  /** Reads the pages of a result. The statement ends after the last page, or when the loop over them ends. */
  async function* readPages(run: StatementRun): AsyncGenerator<Iterable<Chunk>, void, undefined> {
    const signal = AbortSignal.any([run.signal, closing.signal]);
    let statement: FinishedStatement | null = null;
    try {
      throwIfAborted(signal);
      statement = await runStatement(settings, { ...run, signal });
      for (let page = await statement.next(); page !== null; page = await statement.next()) yield page;
    } catch (error) {
      if (closing.signal.aborted && !run.signal.aborted)
        throw new WarehouseError('UNAVAILABLE', 'The warehouse is closed.');
      throw error;
    } finally {
      statement?.close();
    }
  }

  async function readAll(run: StatementRun): Promise<Row[]> {
    const rows: Row[] = [];
    for await (const { rows: some } of readBatches(readPages(run), PAGE_ROWS, run.signal)) rows.push(...some);
    return rows;
  }

  return {
    async describeTable(table, signal, onWaiting) {
      const sql = `DESCRIBE TABLE ${quoteTable(table)}`;
      return toColumns(await readAll({ sql, parameters: {}, signal, onWaiting }));
    },

    findVersion: async () => null,

    countUnreadable: async () => 0,

    async countRows({ sql, parameters }, signal, onWaiting) {
      const counting = `SELECT COUNT(*) AS total FROM (${sql})`;
      const [row] = await readAll({ sql: counting, parameters, signal, onWaiting });
      return Number(row?.total ?? 0);
    },

    async readRows({ sql, parameters }, { resumeAfter, batchSize, signal, onWaiting }) {
      const run = { sql, parameters, signal, onWaiting };
      throwIfAborted(signal);
      return { resumed: resumeAfter === null, batches: readBatches(readPages(run), batchSize, signal) };
    },

    async close() {
      closing.abort();
      await Promise.race([Promise.all(background), setTimeout(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
      await Promise.race([sessions.close(), setTimeout(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
    },
  };
}

/** Rows per request: enough to be worth a request, and few enough that two pages fit in memory. */
const PAGE_ROWS = 25_000;
const CLOSE_TIMEOUT_MS = 5_000;

async function* readBatches(
  pages: AsyncIterable<Iterable<Chunk>>,
  batchSize: number,
  signal: AbortSignal,
): AsyncGenerator<RowBatch, void, undefined> {
  let rows: Row[] = [];
  for await (const page of pages) {
    for (const chunk of page) {
      let first = 0;
      while (first < chunk.rowCount) {
        const end = Math.min(chunk.rowCount, first + batchSize - rows.length);
        for (const row of chunk.rows(first, end)) rows.push(row);
        first = end;
        if (rows.length < batchSize) continue;
        throwIfAborted(signal);
        yield toBatch(rows);
        rows = [];
      }
    }
  }
  throwIfAborted(signal);
  if (rows.length > 0) yield toBatch(rows);
}

/** Creates a batch without a fingerprint, because row order changes between reads and the fingerprint would capture only that. */
function toBatch(rows: readonly Row[]): RowBatch {
  return { rows, size: rows.length, fingerprint: null, position: null };
}

/** Converts a description to columns, up to the section about partitions and the like. */
function toColumns(described: readonly Row[]): TableColumn[] {
  const end = described.findIndex(({ col_name: name }) => name === '' || String(name).startsWith('#'));
  return described
    .slice(0, end < 0 ? described.length : end)
    .map(({ col_name: name, data_type: type }) => ({ name: String(name), type: formatType(String(type)) }));
}
