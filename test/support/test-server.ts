import { Client } from 'pg';

/** The server of TEST_DATABASE_URL, or else one that runs on this machine as PostgreSQL does unless told otherwise. */
const SERVER_URL = process.env.TEST_DATABASE_URL ?? 'postgresql://postgres@127.0.0.1:5432/postgres';

/**
 * The URL of the PostgreSQL server on which the database tests run a second time.
 * @returns null where there is none; then they run on the embedded database alone.
 * @throws where TEST_DATABASE_URL names a server that cannot be reached.
 */
export async function findTestServer(): Promise<string | null> {
  const client = new Client({ connectionString: SERVER_URL, connectionTimeoutMillis: 2_000 });
  try {
    await client.connect();
    return SERVER_URL;
  } catch (error) {
    if (process.env.TEST_DATABASE_URL) throw error;
    return null;
  } finally {
    await client.end().catch(() => {});
  }
}
