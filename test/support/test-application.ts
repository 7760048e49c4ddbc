import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '../../src/application/log.ts';
import { type Application, startApplication } from '../../src/application/start-application.ts';
import type { Config } from '../../src/config/config.ts';
import { loadProgram } from '../../src/config/load-program.ts';
import type { Choice } from '../../src/shared/definition.ts';
import type { WarehouseConfiguration } from '../../src/warehouse/settings.ts';
import { type ApiClient, createApiClient } from './api-client.ts';
import { createTestDatabase, type TestDatabase } from './test-database.ts';

/** The whole program in this process, on its own database, warehouse and catalog. */
export interface TestApplication {
  readonly client: ApiClient;
  readonly database: TestDatabase;
  readonly url: string;
  /** Where `blade/field/sortie.parquet` is the table `blade.field.sortie`. */
  readonly warehouseFolder: string;
  readonly catalogFolder: string;
  /** Every line that the program has logged. */
  readonly log: readonly string[];
  /** Stops the program, as a signal does; its database stays. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

/** What a test's program uses in place of folders. */
export interface ApplicationParts {
  readonly catalog?: Choice;
  readonly warehouse?: WarehouseConfiguration;
}

/**
 * @param settings beside those of every test, such as `BLADE_WORKER_THREADS`.
 * @param given a database that stays open when the program is closed; a new one when left out.
 */
export async function startTestApplication(
  settings: Record<string, string> = {},
  parts: ApplicationParts = {},
  given?: TestDatabase,
): Promise<TestApplication> {
  const folder = await mkdtemp(join(tmpdir(), 'blade-test-'));
  const database = given ?? (await createTestDatabase());
  const log: string[] = [];
  const config: Config = {
    ...(await loadProgram({
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
      ...settings,
    })),
    ...parts,
  };
  const application: Application = await startApplication(
    config,
    createLog(config, { write: (line: string) => log.push(line) }),
    { open: async () => ({ ...database, close: async () => {} }) },
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
      if (given === undefined) await database.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
