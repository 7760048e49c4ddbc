import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';
import { runOnServer } from './prepare-database.ts';

/** A PostgreSQL server that a test may stop and start. */
export interface PrivateServer {
  readonly url: string;
  /** `fast` ends sessions in order; `immediate` is like a crash. */
  stop(how: 'fast' | 'immediate'): Promise<void>;
  start(): Promise<void>;
  /** Stops it and removes its data. */
  close(): Promise<void>;
}

/** Finds the folder with the programs of the newest PostgreSQL server on this machine; null if there is none. */
export async function findServerPrograms(): Promise<string | null> {
  const versions = await readdir('/usr/lib/postgresql').catch(() => []);
  const [newest] = versions.sort((a, b) => Number(b) - Number(a));
  return newest === undefined ? null : join('/usr/lib/postgresql', newest, 'bin');
}

/** @param programs as `findServerPrograms` gives it. */
export async function startPrivateServer(programs: string): Promise<PrivateServer> {
  const folder = await mkdtemp(join(tmpdir(), 'blade-postgres-'));
  const user = await unprivilegedUser();
  if (user !== null) await chown(folder, user.uid, user.gid);
  const run = (program: string, args: string[]) =>
    promisify(execFile)(join(programs, program), args, { cwd: folder, ...user });
  const data = join(folder, 'data');
  const port = await freePort();
  await run('initdb', ['-D', data, '-U', 'postgres', '-A', 'trust', '--no-sync', '-E', 'UTF8']);
  const url = `postgresql://postgres@127.0.0.1:${port}/postgres`;
  let server: ChildProcess | undefined;

  async function start(): Promise<void> {
    const settings = { port, listen_addresses: '127.0.0.1', unix_socket_directories: '', fsync: 'off' };
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const child = spawn(join(programs, 'postgres'), ['-D', data, ...args], {
      cwd: folder,
      stdio: 'ignore',
      ...user,
    });
    server = child;
    for (;;) {
      if (child.exitCode !== null) throw new Error(`postgres ended with code ${child.exitCode}`);
      const answers = await runOnServer(url, 'select 1').then(
        () => true,
        () => false,
      );
      if (answers) return;
    }
  }

  async function stop(how: 'fast' | 'immediate'): Promise<void> {
    if (server === undefined) return;
    const exited = once(server, 'exit');
    server.kill(how === 'fast' ? 'SIGINT' : 'SIGQUIT');
    server = undefined;
    await exited;
  }

  await start();
  return {
    url,
    start,
    stop,
    async close() {
      await stop('immediate');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** PostgreSQL refuses to run as root. */
async function unprivilegedUser(): Promise<{ uid: number; gid: number } | null> {
  if (process.getuid?.() !== 0) return null;
  const id = async (flag: string) => Number((await promisify(execFile)('id', [flag, 'postgres'])).stdout);
  return { uid: await id('-u'), gid: await id('-g') };
}
