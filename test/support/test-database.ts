import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'pg';
import { inject } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { startEmbeddedServer } from '../../src/database/embedded/server.ts';
import { openDatabase } from '../../src/database/open-database.ts';
import { runOnServer, urlOfDatabase } from './prepare-database.ts';

/** A database of a test's own; `kind` says which one the run uses. */
export interface TestDatabase extends Database {
  /** For the test's own statements. */
  readonly pool: Pool;
}

/** Makes a fresh database that has all migrations; closing it removes it. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const prepared = inject('preparedDatabase');
  return prepared.kind === 'embedded'
    ? await createEmbedded(prepared.folder)
    : await createOnServer(prepared.url, prepared.template);
}

async function createEmbedded(prepared: string): Promise<TestDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'blade-test-'));
  const database = await startEmbeddedServer({ folder, prepared });
  return withPool(database, () => rm(folder, { recursive: true }));
}

async function createOnServer(url: string, template: string): Promise<TestDatabase> {
  const name = `blade_test_${randomBytes(6).toString('hex')}`;
  await runOnServer(url, `create database ${name} template ${template}`);
  const database = await openDatabase({ url: urlOfDatabase(url, name), folder: '' });
  return withPool(database, () => runOnServer(url, `drop database ${name} with (force)`));
}

function withPool(database: Database, remove: () => Promise<void>): TestDatabase {
  const pool = new Pool({ connectionString: database.connectionString, max: 8 });
  pool.on('error', () => {}); // A test may end connections on purpose.
  return {
    ...database,
    pool,
    async close() {
      await pool.end();
      await database.close();
      await remove();
    },
  };
}
