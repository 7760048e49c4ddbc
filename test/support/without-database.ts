import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test as base } from 'vitest';

interface Closeable {
  close(): Promise<void> | void;
}

/** For tests that use no database. */
export const test = base
  /** An empty folder for one test. */
  .extend('folder', async ({}, { onCleanup }) => {
    const folder = await mkdtemp(join(tmpdir(), 'blade-test-'));
    onCleanup(() => rm(folder, { recursive: true, force: true }));
    return folder;
  })
  /** Closes what it is given when the test ends, the last first: `const server = await open(startCatalogServer())`. */
  .extend('open', async ({}, { onCleanup }) => {
    const opened = new AsyncDisposableStack();
    onCleanup(() => opened.disposeAsync());
    return async <Opened extends Closeable>(opening: Promise<Opened> | Opened): Promise<Opened> =>
      opened.adopt(await opening, (one) => one.close());
  });
