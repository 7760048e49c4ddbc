import { mkdir, mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect } from 'vitest';
import { createChance } from '../support/chance.ts';
import { countItems } from '../support/data-folders.ts';
import { fuzzParameters } from '../support/fuzz-runs.ts';
import { killPrograms, startAndKillProgram, startProgram } from '../support/program.ts';
import { test } from '../support/slow-on-embedded.ts';
import { mountSmallDisk } from '../support/small-disk.ts';

afterEach(killPrograms);

/** Makes an empty data folder for one case of a test. @param folder of the test. */
const makeFolder = (folder: string) => mkdtemp(join(folder, 'data-'));

/** Starts the program, and expects a database with nothing in it and no trace of the starts before. */
async function expectNewDatabase(folder: string): Promise<void> {
  const program = await startProgram({ BLADE_DATA_FOLDER: folder });
  expect(await countItems(program)).toBe(0);
  expect(await program.end('SIGTERM')).toEqual({ code: 0 });
  expect((await readdir(join(folder, 'database'))).sort()).toEqual(['data', 'data-is-whole', 'lock']);
}

test('a first start that is killed at any moment, more than once, is done over by the next one', async ({
  folder: root,
}) => {
  const { numRuns, seed } = fuzzParameters(0.005, 'killed first starts');
  const chance = createChance(seed);
  const begin = performance.now();
  await expectNewDatabase(await makeFolder(root));
  const duration = performance.now() - begin;
  for (let run = 0; run < numRuns; run++) {
    const folder = await makeFolder(root);
    for (let kill = 0; kill < 3; kill++) {
      await startAndKillProgram({ BLADE_DATA_FOLDER: folder }, chance.below(duration));
    }
    await expectNewDatabase(folder);
  }
}, 600_000);

test('a first start on a full disk says so, and the next one is done over', async ({ skip }) => {
  const disk = (await mountSmallDisk(60)) ?? skip('no disk can be mounted here');
  try {
    const folder = join(disk.folder, 'data');
    disk.fill(12_000_000);
    await expect(startProgram({ BLADE_DATA_FOLDER: folder })).rejects.toMatchObject({
      code: 1,
      complaint: expect.stringMatching(
        /^The folder \S+database cannot be used: the disk is full\. Free some space and start again\.$/,
      ),
    });
    disk.free();
    await expectNewDatabase(folder);
  } finally {
    await disk.remove();
  }
}, 180_000);

test.skipIf(process.platform === 'win32')(
  'a first start that may not write files of that size says so, and the next one is done over',
  async ({ folder }) => {
    const started = startProgram({ BLADE_DATA_FOLDER: folder }, { maxFileKilobytes: 500 });
    await expect(started).rejects.toMatchObject({
      code: 1,
      complaint: expect.stringMatching(/^The folder \S+database cannot be used: the file is too large\./),
    });
    await expectNewDatabase(folder);
  },
  180_000,
);

test('a folder with nothing in it but what systems put there by themselves is a new one', async ({
  folder,
}) => {
  for (const name of ['lost+found', '.Trash-1000', '@eaDir', 'database']) await mkdir(join(folder, name));
  for (const name of ['._blade', '.nfs000000000123456700000001', '.DS_Store'])
    await writeFile(join(folder, name), 'left by a system');
  await expectNewDatabase(folder);
});

test('programs that start in a new folder at once do not meet', async ({ folder }) => {
  const starts = await Promise.allSettled(
    Array.from({ length: 3 }, () => startProgram({ BLADE_DATA_FOLDER: folder })),
  );
  const started = starts.filter((start) => start.status === 'fulfilled');
  const refused = starts.filter((start) => start.status === 'rejected');
  expect(started).toHaveLength(1);
  for (const { reason } of refused) {
    expect(reason).toMatchObject({
      code: 1,
      complaint: expect.stringMatching(/^The data folder \S+ is in use: /),
    });
  }
  for (const { value } of started) await value.end('SIGTERM');
}, 180_000);
