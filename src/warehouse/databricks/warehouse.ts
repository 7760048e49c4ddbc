import { setTimeout } from 'node:timers/promises';
import { createSparkSqlWarehouse } from '../spark-sql/warehouse.ts';
import type { Warehouse } from '../warehouse.ts';
import { createSessions, type DatabricksOptions } from './session.ts';
import { runStatement } from './statement.ts';

/**
 * Opens a Databricks SQL warehouse. Sends nothing before the first statement, because that would start a stopped warehouse,
 * which can take minutes.
 */
export function openDatabricksWarehouse(options: DatabricksOptions): Warehouse {
  const sessions = createSessions(options);
  const background = new Set<Promise<unknown>>();
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
  return createSparkSqlWarehouse({
    run: (statement) => runStatement(settings, statement),
    async close() {
      await Promise.race([Promise.all(background), setTimeout(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
      await Promise.race([sessions.close(), setTimeout(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
    },
  });
}

/** Rows per request: enough to be worth a request, and few enough that two pages fit in memory. */
const PAGE_ROWS = 25_000;
const CLOSE_TIMEOUT_MS = 5_000;
