import { cpSync } from 'node:fs';
import { chmod, mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { startEmbeddedServer } from '../../src/database/embedded/server.ts';
import { CreateDataSource } from './operations.ts';
import { type Program, startProgram } from './program.ts';
import { writeSorties } from './tables.ts';

/** Data folders that programs have used, to be copied and damaged. */
export interface DataFolders {
  /** Left by a program that stopped in order. */
  readonly closed: string;
  /** Left by a program that was killed, with more items than the other. */
  readonly killed: string;
  /** As version 0.1.0 left it, which kept no manifest. */
  readonly old: string;
  /** Makes a copy for a test. */
  copy(folder: string): Promise<string>;
  remove(): Promise<void>;
}

/** How many items the folders have. */
export const ITEMS = { closed: 400, killed: 900, old: 400 } as const;

export async function createDataFolders(): Promise<DataFolders> {
  const root = await mkdtemp(join(tmpdir(), 'blade-test-'));
  // Programs of other users come in, too.
  await chmod(root, 0o711);
  const closed = join(root, 'closed');
  const killed = join(root, 'killed');
  const old = join(root, 'old');
  const copyTo = (from: string, to: string) => cpSync(from, to, { recursive: true, verbatimSymlinks: true });

  const prepared = inject('preparedDatabase');
  const folder = join(closed, 'database');
  const database = await startEmbeddedServer(
    prepared.kind === 'embedded' ? { folder, findPrepared: async () => prepared.data } : { folder },
  );
  await database.close();
  await (await syncItems(closed, ITEMS.closed)).end('SIGTERM');
  copyTo(closed, old);
  await truncate(join(old, 'database', 'data-is-whole'));
  copyTo(closed, killed);
  await (await syncItems(killed, ITEMS.killed)).end('SIGKILL');

  return {
    closed,
    killed,
    old,
    async copy(from) {
      const to = join(await mkdtemp(join(root, 'copy-')), 'data');
      copyTo(from, to);
      return to;
    },
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

/** Starts a program on a data folder and lets it sync as many items. */
async function syncItems(folder: string, rows: number): Promise<Program> {
  await writeSorties(join(folder, 'warehouse'), rows);
  const program = await startProgram({ BLADE_DATA_FOLDER: folder, BLADE_WORKER_THREADS: '1' });
  const { client } = program;
  const source = {
    catalogName: 'blade',
    schemaName: 'field',
    tableName: 'sortie',
    cursorColumn: 'updated_at',
  };
  // Refused where the source is known already.
  await client.sendRaw(CreateDataSource.toString(), {
    input: { name: 'Sorties', dataType: 'sortie', ...source },
  });
  await client.waitForEnd((await client.startSync({ syncType: 'FULL' })).id);
  return program;
}

/** How many items a program has. */
export async function countItems({ client }: Program): Promise<unknown> {
  const { data } = await client.sendRaw('{ items { totalCount } }');
  return (data as { items?: { totalCount?: unknown } } | undefined)?.items?.totalCount;
}
