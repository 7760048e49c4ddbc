import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Client, Pool } from 'pg';

/** A benchmark's own database on a real server. */
export interface BenchDatabase {
  readonly url: string;
  readonly pool: Pool;
  close(): Promise<void>;
}

const SERVER_URL = process.env.BENCH_DATABASE_URL ?? 'postgresql://postgres@127.0.0.1:5432/postgres';

/** Creates an empty database; closing removes it. */
export async function createBenchDatabase(): Promise<BenchDatabase> {
  const name = `blade_bench_${randomBytes(6).toString('hex')}`;
  await runOnServer(`create database ${name}`);
  const url = new URL(SERVER_URL);
  url.pathname = `/${name}`;
  const pool = new Pool({ connectionString: url.href, max: 4 });
  pool.on('error', () => {});
  return {
    url: url.href,
    pool,
    async close() {
      await pool.end();
      await runOnServer(`drop database ${name} with (force)`);
    },
  };
}

/** Flushes dirty pages, so that one measurement does not pay for another. */
export async function settleServer(): Promise<void> {
  await runOnServer('checkpoint');
}

/** Reads the server's version and the settings that decide how fast it writes. */
export async function describeServer(): Promise<Record<string, string>> {
  return withClient(async (client) => {
    const { rows } = await client.query<{ name: string; setting: string }>(
      `select name, current_setting(name) as setting from pg_settings where name in ('server_version', 'shared_buffers',
         'max_wal_size', 'synchronous_commit', 'fsync', 'full_page_writes', 'wal_compression') order by name`,
    );
    return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
  });
}

/** Reads how many bytes of write-ahead log the server has ever written. */
export async function walBytes(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ bytes: string }>(
    `select pg_current_wal_insert_lsn() - '0/0'::pg_lsn as bytes`,
  );
  return Number(rows[0]?.bytes);
}

/** Sums the processor time of the server's processes for a database, including those that end meanwhile. */
export interface ServerClock {
  /** Returns the seconds of processor time since the start. */
  stop(): Promise<number>;
}

/** Needs the server on this machine, on Linux; otherwise the clock returns NaN. */
export function startServerClock(pool: Pool): ServerClock {
  const first = new Map<number, number>();
  const last = new Map<number, number>();
  let isFirst = true;
  let reading: Promise<void> = Promise.resolve();

  async function read(): Promise<void> {
    const { rows } = await pool.query<{ pid: number }>(
      'select pid from pg_stat_activity where datname = current_database()',
    );
    for (const { pid } of rows) {
      const seconds = await processorSeconds(pid).catch(() => null);
      if (seconds === null) continue;
      // Later connections start at zero.
      if (!first.has(pid)) first.set(pid, isFirst ? seconds : 0);
      last.set(pid, seconds);
    }
    isFirst = false;
  }

  const again = () => {
    reading = reading.then(read).catch(() => {});
  };
  again();
  const timer = setInterval(again, 500);
  return {
    async stop() {
      clearInterval(timer);
      again();
      await reading;
      if (last.size === 0) return Number.NaN;
      return [...last].reduce((sum, [pid, seconds]) => sum + seconds - (first.get(pid) ?? 0), 0);
    },
  };
}

/** Reads the processor time of a process in seconds from Linux's /proc. */
async function processorSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

const TICKS_PER_SECOND = 100;

async function runOnServer(statement: string): Promise<void> {
  await withClient((client) => client.query(statement));
}

async function withClient<Result>(work: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client({ connectionString: SERVER_URL });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
