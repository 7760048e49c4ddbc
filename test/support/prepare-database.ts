import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import type { TestProject } from 'vitest/node';
import { openDatabase } from '../../src/database/database.ts';
import { applyMigrations } from '../../src/database/migrations.ts';

/** A migrated database that every test's own one begins as a copy of. */
export type PreparedDatabase =
  | { readonly kind: 'embedded'; readonly folder: string }
  | { readonly kind: 'server'; readonly url: string; readonly template: string };

declare module 'vitest' {
  interface ProvidedContext {
    preparedDatabase: PreparedDatabase;
  }
}

/** Once a test run: on the server that TEST_DATABASE_URL names, and otherwise as the folder of an embedded one. */
export default async function prepareDatabase(project: TestProject): Promise<() => Promise<void>> {
  const url = process.env.TEST_DATABASE_URL;
  return url ? await prepareServer(project, url) : await prepareEmbedded(project);
}

async function prepareServer(project: TestProject, url: string): Promise<() => Promise<void>> {
  const template = `blade_test_template_${randomBytes(6).toString('hex')}`;
  await runOnServer(url, `create database ${template}`);
  await applyMigrations(urlOfDatabase(url, template));
  project.provide('preparedDatabase', { kind: 'server', url, template });
  process.stdout.write('Test databases: on the PostgreSQL server of TEST_DATABASE_URL\n');
  return () => runOnServer(url, `drop database ${template} with (force)`);
}

async function prepareEmbedded(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'blade-test-'));
  const database = await openDatabase({ folder });
  await database.close();
  project.provide('preparedDatabase', { kind: 'embedded', folder });
  process.stdout.write('Test databases: embedded\n');
  return () => rm(folder, { recursive: true });
}

/** Runs a statement that is about whole databases. */
export async function runOnServer(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/** The same server, another database. */
export function urlOfDatabase(url: string, name: string): string {
  const other = new URL(url);
  other.pathname = `/${name}`;
  return other.href;
}
