import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { version } from '../../shared/version.ts';
import { createSparkSqlWarehouse } from '../spark-sql/warehouse.ts';
import type { Warehouse } from '../warehouse.ts';
import type { ReadingLimits } from '../warehouse-definition.ts';
import type { SparkRemote } from './connection-string.ts';
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
  const background = new Set<Promise<unknown>>();
  const settings = {
    ...{ sessions, retryDelayMs, createId: randomUUID, timeoutMs: statementTimeoutMs },
    trackBackground(work: Promise<unknown>) {
      // Spark ends a statement that cannot be ended from here and that nobody reads.
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

const CLOSE_TIMEOUT_MS = 5_000;
