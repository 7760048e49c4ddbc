import { randomBytes } from 'node:crypto';
import { createPool } from '../../src/database/connection.ts';
import { openDatabase } from '../../src/database/open-database.ts';
import { createDatabaseUrl, runOnServer } from './prepare-database.ts';
import type { TestDatabase } from './test-database.ts';

/** What sessions of a hostile database begin with, unless they set it for themselves. */
export const HOSTILE_SETTINGS: Readonly<Record<string, string>> = {
  TimeZone: 'Asia/Kathmandu',
  DateStyle: 'German, DMY',
  IntervalStyle: 'sql_standard',
  bytea_output: 'escape',
  extra_float_digits: '-15',
  standard_conforming_strings: 'off',
  array_nulls: 'off',
  transform_null_equals: 'on',
  search_path: 'elsewhere',
  default_transaction_isolation: 'serializable',
  default_transaction_read_only: 'on',
  default_transaction_deferrable: 'on',
  client_encoding: 'LATIN1',
  statement_timeout: '2s',
  lock_timeout: '20ms',
  idle_session_timeout: '500ms',
  idle_in_transaction_session_timeout: '50ms',
  row_security: 'off',
  xmloption: 'document',
  quote_all_identifiers: 'on',
  jit_above_cost: '0',
};

/** Its URL, and what removes it with its role. */
export interface HostileServerDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/**
 * Creates an empty database with such settings, half of them of the database and half of the role that owns it.
 * @param server the URL of a PostgreSQL server.
 */
export async function createHostileDatabaseOn(server: string): Promise<HostileServerDatabase> {
  const name = `blade_test_${randomBytes(6).toString('hex')}`;
  await runOnServer(server, `create role ${name} login`);
  await runOnServer(server, `create database ${name} owner ${name}`);
  for (const [index, [setting, value]] of Object.entries(HOSTILE_SETTINGS).entries()) {
    const target = index % 2 === 0 ? 'database' : 'role';
    await runOnServer(server, `alter ${target} ${name} set ${setting} = ${quoteValue(setting, value)}`);
  }
  const url = new URL(createDatabaseUrl(server, name));
  url.username = name;
  return {
    url: url.href,
    async drop() {
      await runOnServer(server, `drop database ${name} with (force)`);
      await runOnServer(server, `drop role ${name}`);
    },
  };
}

/** Opens such a database as the program does, which creates its tables. */
export async function openHostileDatabase(server: string): Promise<TestDatabase> {
  const { url, drop } = await createHostileDatabaseOn(server);
  const database = await openDatabase({ url, folder: '' });
  const pool = createPool(url, { max: 4 });
  return {
    ...database,
    pool,
    async close() {
      await pool.end();
      await database.close();
      await drop();
    },
  };
}

/** A list is no single value. */
function quoteValue(setting: string, value: string): string {
  return setting === 'DateStyle' ? value : `'${value}'`;
}
