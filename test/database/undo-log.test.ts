import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  renameSync,
  rmdirSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { createUndoLog, type UndoLog } from '../../src/database/embedded/undo-log.ts';
import { readTree } from '../support/folder-tree.ts';
import { fuzzParameters } from '../support/fuzz-runs.ts';

const folders: string[] = [];

afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

async function folderWithFiles(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'blade-test-'));
  folders.push(folder);
  for (const [index, name] of NAMES.slice(0, 4).entries()) {
    writeFileSync(join(folder, name), name.repeat(index * 10));
  }
  mkdirSync(join(folder, 'folder'));
  return folder;
}

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];
const name = fc.constantFrom(...NAMES);
const size = fc.integer({ min: 0, max: 50 });

/** What may happen to files, each with the log told of it. */
const change = fc.oneof(
  fc.record({ kind: fc.constant('append' as const), name, size }),
  fc.record({ kind: fc.constant('resize' as const), name, size }),
  fc.record({ kind: fc.constant('remove' as const), name }),
  fc.record({ kind: fc.constant('rename' as const), name, to: name }),
  fc.record({ kind: fc.constant('change mode' as const), name }),
  fc.record({ kind: fc.constant('replace folder' as const) }),
);
type Change = typeof change extends fc.Arbitrary<infer Value> ? Value : never;

function apply(folder: string, log: UndoLog, change: Change): void {
  if (change.kind === 'replace folder') {
    const path = join(folder, 'folder');
    log.beforeRemove(path);
    rmdirSync(path);
    mkdirSync(path);
    log.afterCreate(path);
    return;
  }
  const path = join(folder, change.name);
  const before = statSync(path, { throwIfNoEntry: false });
  if (before === undefined) {
    writeFileSync(path, '');
    log.afterCreate(path);
    return;
  }
  if (change.kind === 'append') {
    log.beforeWrite(path, before.size, change.size);
    appendFileSync(path, 'x'.repeat(change.size));
  } else if (change.kind === 'resize') {
    log.beforeResize(path, change.size);
    truncateSync(path, change.size);
  } else if (change.kind === 'change mode') {
    log.beforeChangeMode(path);
    chmodSync(path, 0o600);
  } else if (change.kind === 'remove') {
    log.beforeRemove(path);
    unlinkSync(path);
  } else if (change.to !== change.name) {
    log.beforeRemove(join(folder, change.to));
    renameSync(path, join(folder, change.to));
    log.afterRename(path, join(folder, change.to));
  }
}

test('whatever was done to the files of a folder can be undone', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 30 }), async (changes) => {
      const folder = await folderWithFiles();
      const before = await readTree(folder);
      const log = createUndoLog(1_000_000);
      for (const change of changes) apply(folder, log, change);
      expect(log.undo()).toBe(true);
      expect(await readTree(folder)).toEqual(before);
    }),
    fuzzParameters(0.5, 'undone changes'),
  );
});

test('what is too much to remember stays, and says so', async () => {
  const folder = await folderWithFiles();
  const log = createUndoLog(5);
  apply(folder, log, { kind: 'resize', name: 'd', size: 1 });
  expect(log.undo()).toBe(false);
  expect(statSync(join(folder, 'd')).size).toBe(1);
});
