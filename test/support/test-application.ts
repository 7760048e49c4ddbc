import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '../../src/application/log.ts';
import { type Application, startApplication } from '../../src/application/start-application.ts';
import type { CatalogConfiguration } from '../../src/catalog/registry.ts';
import { type Config, loadConfig } from '../../src/config/config.ts';
import type { WarehouseConfiguration } from '../../src/warehouse/registry.ts';
import { type ApiClient, createApiClient } from './api-client.ts';
import { createTestDatabase, type TestDatabase } from './test-database.ts';

/** The whole program in this process, on a database, warehouse and catalog of the test's own. */
export interface TestApplication {
  readonly client: ApiClient;
  readonly database: TestDatabase;
  readonly url: string;
  /** Where `blade/field/sortie.parquet` is the table `blade.field.sortie`. */
  readonly warehouseFolder: string;
  readonly catalogFolder: string;
  /** Every line that the program logged so far. */
  readonly log: readonly string[];
  /** Stops the program, as a signal does; its database stays. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

/**
 * @param environment settings beside those of a test, such as `BLADE_WORKER_THREADS`.
 * @param parts.catalog the catalog that is used in place of a folder of the test's own.
 * @param parts.warehouse the warehouse that is read in place of such a folder.
 */
export async function startTestApplication(
  environment: Record<string, string> = {},
  parts: { readonly catalog?: CatalogConfiguration; readonly warehouse?: WarehouseConfiguration } = {},
): Promise<TestApplication> {
  const folder = await mkdtemp(join(tmpdir(), 'blade-test-'));
  const database = await createTestDatabase();
  const log: string[] = [];
  const config: Config = {
    ...loadConfig({
      PORT: '0',
      BLADE_DATA_FOLDER: folder,
      BLADE_DEMO_DATA: 'false',
      BLADE_PROGRESS_INTERVAL_MS: '20',
      BLADE_WORKER_THREADS: '2',
      LOG_LEVEL: 'debug',
      // A test asks faster than people do.
      BLADE_REQUESTS_PER_SECOND: '100000',
      BLADE_MUTATIONS_PER_MINUTE: '1000000',
      BLADE_SUBSCRIPTIONS_PER_MINUTE: '1000000',
      BLADE_FAILED_CREDENTIALS_PER_MINUTE: '1000000',
      ...environment,
    }),
    ...parts,
  };
  const application: Application = await startApplication(
    config,
    createLog(config, { write: (line: string) => log.push(line) }),
    async () => ({ ...database, close: async () => {} }),
  );
  const url = application.url ?? '';
  const client = createApiClient(url);
  return {
    client,
    database,
    url,
    warehouseFolder: join(folder, 'warehouse'),
    catalogFolder: join(folder, 'catalog'),
    log,
    stop: () => application.stop(),
    async close() {
      await client.close();
      await application.stop();
      await database.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
