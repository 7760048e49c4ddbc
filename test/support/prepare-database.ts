import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client } from 'pg';
import type { TestProject } from 'vitest/node';
import { resolvePaths } from '../../src/database/embedded/database-folder.ts';
import type { PreparedData } from '../../src/database/embedded/open-data.ts';
import { openDatabase } from '../../src/database/open-database.ts';
import { findTestServer } from './test-server.ts';

/** A migrated database, of which each test file gets a copy. */
export type PreparedDatabase =
  | { readonly kind: 'embedded'; readonly data: PreparedData }
  | { readonly kind: 'server'; readonly url: string; readonly template: string };

declare module 'vitest' {
  interface ProvidedContext {
    preparedDatabase: PreparedDatabase;
  }
}

/** Prepares the database of a project before its run: on a server if there is one, except for projects of embedded ones. */
export default async function prepareDatabase(project: TestProject): Promise<() => Promise<void>> {
  const url = project.name.endsWith('embedded') ? null : await findTestServer();
  return url === null ? await prepareEmbedded(project) : await prepareServer(project, url);
}

async function prepareServer(project: TestProject, url: string): Promise<() => Promise<void>> {
  const template = `blade_test_template_${randomBytes(6).toString('hex')}`;
  await runOnServer(url, `create database ${template}`);
  // In its own process: the projects share Prisma's schema engine, which can be used only once.
  const script = fileURLToPath(new URL('./apply-migrations.ts', import.meta.url));
  await promisify(execFile)(process.execPath, [script, createDatabaseUrl(url, template)]);
  project.provide('preparedDatabase', { kind: 'server', url, template });
  process.stdout.write(`Test databases of the project "${project.name}": on ${await readVersion(url)}\n`);
  return () => runOnServer(url, `drop database ${template} with (force)`);
}

async function prepareEmbedded(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'blade-test-'));
  const database = await openDatabase({ folder });
  await database.close();
  const path = resolvePaths(folder).dataFolder;
  project.provide('preparedDatabase', { kind: 'embedded', data: { kind: 'folder', path } });
  process.stdout.write(`Test databases of the project "${project.name}": PGlite\n`);
  return () => rm(folder, { recursive: true });
}

async function readVersion(url: string): Promise<string> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ server_version: string }>('show server_version');
    return `PostgreSQL ${rows[0]?.server_version}`;
  } finally {
    await client.end();
  }
}

/** Runs a statement on the server's default database, such as one that creates another. */
export async function runOnServer(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/** Returns the URL of another database on the same server. */
export function createDatabaseUrl(url: string, name: string): string {
  const other = new URL(url);
  other.pathname = `/${name}`;
  return other.href;
}
