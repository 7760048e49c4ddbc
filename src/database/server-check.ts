import { createClient } from './connection.ts';

/** The PostgreSQL server, or the database on it, cannot hold the data: the message says why and what would work. */
export class UnsuitableDatabaseError extends Error {
  override readonly name = 'UnsuitableDatabaseError';
}

const OLDEST_VERSION = 15;

/**
 * Checks that a server's database can hold the data.
 * @throws UnsuitableDatabaseError; otherwise the server's error if it cannot be reached.
 */
export async function checkServer(connectionString: string): Promise<void> {
  const client = createClient(connectionString);
  client.on('error', () => {}); // A pending query rejects by itself.
  await client.connect();
  try {
    const { rows } = await client.query<ServerFacts>(
      `select current_database() as name, current_setting('server_encoding') as encoding,
        current_setting('server_version') as version, current_setting('server_version_num')::int / 10000 as major,
        current_setting('session_replication_role') as triggers`,
    );
    for (const facts of rows) refuseUnsuitable(facts);
  } finally {
    await client.end();
  }
}

interface ServerFacts {
  readonly name: string;
  readonly encoding: string;
  readonly version: string;
  readonly major: number;
  readonly triggers: string;
}

function refuseUnsuitable({ name, encoding, version, major, triggers }: ServerFacts): void {
  if (major < OLDEST_VERSION) {
    throw new UnsuitableDatabaseError(
      `DATABASE_URL: the server is PostgreSQL ${version}, which is too old: use version ${OLDEST_VERSION} or newer.`,
    );
  }
  if (encoding !== 'UTF8') {
    throw new UnsuitableDatabaseError(
      `DATABASE_URL: the database "${name}" has the encoding ${encoding}, which cannot hold every text: name one that was created with UTF8, for example by CREATE DATABASE blade TEMPLATE template0 ENCODING 'UTF8'.`,
    );
  }
  if (triggers !== 'origin') {
    throw new UnsuitableDatabaseError(
      `DATABASE_URL: session_replication_role is ${triggers} in the database "${name}", which turns off its triggers and foreign keys: set it to origin for the database and the role.`,
    );
  }
}
