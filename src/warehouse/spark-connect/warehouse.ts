import { randomUUID } from 'node:crypto';
import { version } from '../../shared/version.ts';
import { createStatementRunner } from '../spark-sql/statement-runner.ts';
import { createSparkSqlWarehouse } from '../spark-sql/warehouse.ts';
import type { Warehouse } from '../warehouse.ts';
import type { ReadingLimits } from '../warehouse-definition.ts';
import type { SparkRemote } from './connection-string.ts';
import { toReadableError } from './error.ts';
import { createSessions } from './session.ts';
import { runStatement } from './statement.ts';

export interface SparkOptions extends ReadingLimits {
  readonly remote: SparkRemote;
  /** The wait before the first retry of a request, in milliseconds. Default: 1,000. */
  readonly retryDelayMs?: number | undefined;
}

/** Opens a Spark over Spark Connect. Connects with the first statement. */
export function openSparkWarehouse({
  remote,
  retryDelayMs = 1_000,
  statementTimeoutMs,
}: SparkOptions): Warehouse {
  const sessions = createSessions({
    ...{ remote, retryDelayMs, createId: randomUUID },
    clientType: `${remote.userAgent ?? 'blade-ingestion'} ${version}`,
  });
  const settings = { sessions, retryDelayMs, createId: randomUUID, timeoutMs: statementTimeoutMs };
  const runner = createStatementRunner(sessions, (statement, trackBackground) =>
    runStatement({ ...settings, trackBackground }, statement),
  );
  return createSparkSqlWarehouse({
    ...runner,
    forgetFiles: () => sessions.renew(),
    endStatements: async (handle) => {
      try {
        await sessions.endStatements(handle);
      } catch (error) {
        throw toReadableError(error, {});
      }
    },
  });
}
