import { createStatementRunner } from '../spark-sql/statement-runner.ts';
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
  const settings = {
    sessions,
    pageRows: PAGE_ROWS,
    useCloudFetch: options.useCloudFetch ?? true,
    waitingNoticeMs: options.waitingNoticeMs ?? 10_000,
  };
  return createSparkSqlWarehouse(
    createStatementRunner(sessions, (statement, trackBackground) =>
      runStatement({ ...settings, trackBackground }, statement),
    ),
  );
}

/** Rows per request: enough to be worth a request, and few enough that two pages fit in memory. */
const PAGE_ROWS = 25_000;
