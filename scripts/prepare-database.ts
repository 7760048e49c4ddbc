// Part of npm run build: makes the archive of a new embedded database, with which a first start begins.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from 'pg';
import { getConstructionPlans } from 'pg-boss';
import { createClient } from '../src/database/connection.ts';
import { resolvePaths } from '../src/database/embedded/database-folder.ts';
import { openDatabase } from '../src/database/open-database.ts';
import { resolvePreparedPath } from '../src/database/prepared-database.ts';
import { packFolder } from './pack-folder.ts';

const path = await resolvePreparedPath();
await rm(path, { force: true });
const folder = await mkdtemp(join(tmpdir(), 'blade-prepared-'));
try {
  const database = await openDatabase({ folder });
  await complete(database.connectionString);
  await database.close();
  await packFolder(resolvePaths(folder).dataFolder, path);
} finally {
  await rm(folder, { recursive: true });
}

/** Adds the tables of the queue, and removes the time from which retention counts, which is to be that of the first start. */
async function complete(connectionString: string): Promise<void> {
  const client = createClient(connectionString);
  await client.connect();
  try {
    await client.query(getConstructionPlans());
    await client.query('delete from retention');
    await client.query('checkpoint');
    await useUpLog(client);
  } finally {
    await client.end();
  }
}

/** Goes through the files of PostgreSQL's log that are in reserve, each of a megabyte, and leaves as few as it can. */
async function useUpLog(client: Client): Promise<void> {
  for (let round = 0; round < 30; round += 1) {
    await client.query('select pg_switch_wal()');
    await client.query('checkpoint');
  }
}
