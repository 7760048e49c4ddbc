// A process or thread of its own that writes to a folder catalog, for tests that kill it or let several write at once.
// It is told by one JSON text: the first argument of a process, the data of a thread.
import fsPromises, { constants } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { isMainThread, workerData } from 'node:worker_threads';
import { openFolderCatalog } from '../../src/catalog/folder/catalog.ts';
import { createItem } from '../../src/testing/catalog-item.ts';

export interface WriterTask {
  readonly folder: string;
  /** Begins the key of every batch. */
  readonly writer: string;
  readonly batches: number;
  readonly itemsPerBatch: number;
  /** Where the process kills itself in its first upload. */
  readonly killBefore?: 'rename' | 'append';
  /** Every batch has the same key. */
  readonly sameKey?: boolean;
}

const task: WriterTask = JSON.parse(isMainThread ? (process.argv[2] ?? '') : workerData);
const catalog = await openFolderCatalog({ folder: task.folder });
if (task.killBefore !== undefined) killSelfBefore(task.killBefore);
for (let batch = 0; batch < task.batches; batch++) {
  const key = task.sameKey ? task.writer : `${task.writer}-${batch}`;
  const items = Array.from({ length: task.itemsPerBatch }, (_, index) =>
    createItem(`S-${index}`, { writer: task.writer, batch }),
  );
  await catalog.upload({ key, items }, new AbortController().signal);
  if (isMainThread) process.stdout.write(`${batch}\n`);
}

function killSelfBefore(step: 'rename' | 'append'): void {
  const { open } = fsPromises;
  if (step === 'rename') {
    fsPromises.rename = async () => void process.kill(process.pid, 'SIGKILL');
  } else {
    fsPromises.open = async (path, flags, mode) => {
      if (typeof flags === 'number' && flags & constants.O_APPEND) process.kill(process.pid, 'SIGKILL');
      return await open(path, flags, mode);
    };
  }
  // Also what the catalog has imported by name.
  syncBuiltinESMExports();
}
