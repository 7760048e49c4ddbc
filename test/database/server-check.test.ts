import { randomBytes } from 'node:crypto';
import { expect, inject } from 'vitest';
import { openDatabase } from '../../src/database/open-database.ts';
import { test } from '../support/on-server.ts';
import { createDatabaseUrl, runOnServer } from '../support/prepare-database.ts';

const prepared = inject('preparedDatabase');
const onServer = test.skipIf(prepared.kind !== 'server');
const server = prepared.kind === 'server' ? prepared.url : '';

/** Why a new database with these options, and then these statements, is refused. */
async function findRefusal(options: string, ...statements: readonly ((name: string) => string)[]) {
  const name = `blade_test_${randomBytes(6).toString('hex')}`;
  await runOnServer(server, `create database ${name} ${options}`);
  try {
    for (const statement of statements) await runOnServer(server, statement(name));
    const opened = openDatabase({ url: createDatabaseUrl(server, name), folder: '' });
    return await opened.then(
      async (database) => {
        await database.close();
        return null;
      },
      (error: Error) => `${error.name}: ${error.message}`.replaceAll(name, 'NAME'),
    );
  } finally {
    await runOnServer(server, `drop database ${name} with (force)`);
  }
}

onServer.each(['LATIN1', 'SQL_ASCII'])(
  'a database in %s is refused, with what would work',
  async (encoding) => {
    expect(await findRefusal(`template template0 encoding '${encoding}' lc_collate 'C' lc_ctype 'C'`)).toBe(
      `UnsuitableDatabaseError: DATABASE_URL: the database "NAME" has the encoding ${encoding}, which cannot hold every text: name one that was created with UTF8, for example by CREATE DATABASE blade TEMPLATE template0 ENCODING 'UTF8'.`,
    );
  },
);

onServer('a database that turns triggers and foreign keys off is refused', async () => {
  expect(
    await findRefusal('', (name) => `alter database ${name} set session_replication_role = 'replica'`),
  ).toContain('session_replication_role is replica in the database "NAME"');
});

onServer('a database in UTF8 without a locale is not refused', async () => {
  expect(await findRefusal(`template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C'`)).toBeNull();
});
