import { Client } from 'pg';

/** The server at TEST_DATABASE_URL or, without that, at PostgreSQL's default address on this machine. */
const SERVER_URL = process.env.TEST_DATABASE_URL ?? 'postgresql://postgres@127.0.0.1:5432/postgres';

/**
 * Finds the PostgreSQL server for tests.
 * @returns its URL; null if there is none, so that tests run only on the embedded database.
 * @throws if the server at TEST_DATABASE_URL cannot be reached.
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
