import type { Choice } from '../../../src/shared/definition.ts';
import { openDatabricksWarehouse } from '../../../src/warehouse/databricks/warehouse.ts';
import { openSparkWarehouse } from '../../../src/warehouse/spark-connect/warehouse.ts';
import type { Warehouse } from '../../../src/warehouse/warehouse.ts';
import type { Engine, Execution } from '../databricks/execution.ts';
import { startDatabricksServer } from '../databricks-server.ts';
import type { SparkEngine, SparkServer } from './connect.ts';
import { startConnectProxy } from './connect-proxy.ts';

/** A way to Spark, where its Delta tables are in the catalog `blade`. */
export interface Front {
  /** With which a program reads from it. */
  readonly choice: Choice;
  /** The statements so far; the tag of each names its job. */
  readonly statements: readonly { readonly sql: string; readonly tag: string | null }[];
  openWarehouse(): Warehouse;
  /** Does work once, before the first statement like that; it and later ones like that wait for it. */
  before(statement: RegExp, work: () => Promise<void>): void;
  /** The rows that scans have read since the last call, by Spark's own metrics. */
  takeScannedRows(): number;
  close(): Promise<void>;
}

/** The service of Databricks, or Spark Connect. */
export const FRONTS = ['Databricks', 'Spark Connect'] as const;

export async function startFront(
  kind: (typeof FRONTS)[number],
  engine: SparkEngine,
  spark: SparkServer,
): Promise<Front> {
  let hook: { readonly statement: RegExp; readonly work: () => Promise<void> } | null = null;
  let done: Promise<void> | null = null;
  const prepare = (sql: string): Promise<void> | null => {
    if (hook === null || !hook.statement.test(sql)) return null;
    done ??= hook.work();
    return done;
  };
  const before: Front['before'] = (statement, work) => {
    hook = { statement, work };
  };
  switch (kind) {
    case 'Databricks': {
      const server = await startDatabricksServer({ engine: withPreparation(engine, prepare) });
      return {
        choice: { name: 'databricks', settings: server.configuration },
        statements: server.statements,
        openWarehouse: () => openDatabricksWarehouse(server.configuration),
        before,
        takeScannedRows: () => engine.takeScannedRows(),
        close: () => server.close(),
      };
    }
    case 'Spark Connect': {
      const proxy = await startConnectProxy(spark, prepare);
      return {
        choice: { name: 'spark', settings: proxy.remote },
        statements: proxy.statements,
        openWarehouse: () => openSparkWarehouse({ remote: proxy.remote, retryDelayMs: 10 }),
        before,
        takeScannedRows: () => proxy.takeScannedRows(),
        close: () => proxy.close(),
      };
    }
  }
}

/** An engine that prepares for some statements, and stays open. */
function withPreparation(engine: Engine, prepare: (sql: string) => Promise<void> | null): Engine {
  return {
    ...engine,
    close: async () => {},
    execute(sql, parameters) {
      const prepared = prepare(sql);
      if (prepared === null) return engine.execute(sql, parameters);
      const execution = prepared.then(() => engine.execute(sql, parameters));
      return {
        ready: execution.then(({ ready }) => ready),
        next: async (rows) => (await execution).next(rows),
        cancel: async () => (await execution).cancel(),
      } satisfies Execution;
    },
  };
}
