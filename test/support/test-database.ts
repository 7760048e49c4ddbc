import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'pg';
import { inject } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import type { PreparedData } from '../../src/database/embedded/open-data.ts';
import { startEmbeddedServer } from '../../src/database/embedded/server.ts';
import { openDatabase } from '../../src/database/open-database.ts';
import { createDatabaseUrl, type PreparedDatabase, runOnServer } from './prepare-database.ts';

/** A test's own database; `kind` says which one the run uses. */
export interface TestDatabase extends Database {
  /** For the test's own statements. */
  readonly pool: Pool;
}

/**
 * Creates a fresh database that has all migrations; closing removes it.
 * @throws in a test file that does not say on which database it runs.
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const prepared: PreparedDatabase | undefined = inject('preparedDatabase');
  if (prepared === undefined) {
    throw new Error('This test needs a database: take its `test` from a module test/support/on-….ts');
  }
  return prepared.kind === 'embedded'
    ? await createEmbedded(prepared.data)
    : await createOnServer(prepared.url, prepared.template);
}

/** A database for programs that run one after the other. */
export interface ProgramDatabase {
  /** Undefined for an embedded one, which is in the programs' data folder. */
  readonly url: string | undefined;
  close(): Promise<void>;
}

/** Makes a fresh database that has all migrations; closing it removes it. @param dataFolder the programs' own. */
export async function createProgramDatabase(dataFolder: string): Promise<ProgramDatabase> {
  const prepared = inject('preparedDatabase');
  if (prepared.kind === 'embedded') {
    const folder = join(dataFolder, 'database');
    await (await startEmbeddedServer({ folder, findPrepared: async () => prepared.data })).close();
    return { url: undefined, close: async () => {} };
  }
  const name = await createCopy(prepared.url, prepared.template);
  return { url: createDatabaseUrl(prepared.url, name), close: () => dropDatabase(prepared.url, name) };
}

async function createEmbedded(prepared: PreparedData): Promise<TestDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'blade-test-'));
  const database = await startEmbeddedServer({ folder, findPrepared: async () => prepared });
  return withPool(database, () => rm(folder, { recursive: true }));
}

async function createOnServer(url: string, template: string): Promise<TestDatabase> {
  const name = await createCopy(url, template);
  const database = await openDatabase({ url: createDatabaseUrl(url, name), folder: '' });
  return withPool(database, () => dropDatabase(url, name));
}

/** @returns the name of the new database. */
async function createCopy(url: string, template: string): Promise<string> {
  const name = `blade_test_${randomBytes(6).toString('hex')}`;
  await runOnServer(url, `create database ${name} template ${template}`);
  return name;
}

function dropDatabase(url: string, name: string): Promise<void> {
  return runOnServer(url, `drop database ${name} with (force)`);
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
