import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  appendFile,
  chmod,
  chown,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect } from 'vitest';
import { type Chance, createChance } from '../support/chance.ts';
import { countItems, createDataFolders, type DataFolders, ITEMS } from '../support/data-folders.ts';
import { readFolderCatalog } from '../support/folder-catalog.ts';
import { listFiles, readTree } from '../support/folder-tree.ts';
import { fuzzParameters, fuzzSeed } from '../support/fuzz-runs.ts';
import {
  killPrograms,
  type Program,
  ProgramEndedError,
  type ProgramOptions,
  startProgram,
} from '../support/program.ts';
import { test as base } from '../support/slow-on-embedded.ts';

const test = base.extend('folders', { scope: 'file' }, async ({}, { onCleanup }) => {
  const folders = await createDataFolders();
  onCleanup(() => folders.remove());
  return folders;
});

afterEach(killPrograms);

const start = (folder: string, settings: Record<string, string> = {}, options?: ProgramOptions) =>
  startProgram({ BLADE_DATA_FOLDER: folder, BLADE_WORKER_THREADS: '1', ...settings }, options);

/** Starts the program where it cannot start. */
async function startInVain(
  folder: string,
  settings: Record<string, string> = {},
  options?: ProgramOptions,
): Promise<ProgramEndedError> {
  const ended = await start(folder, settings, options).catch((error: unknown) => error);
  if (!(ended instanceof ProgramEndedError)) throw new Error('It started', { cause: ended });
  expect(ended.code).toBe(1);
  expect(ended.complaint.split('\n')).toHaveLength(1);
  return ended;
}

/** The same where nothing in the folder may change. @returns what the program said. */
async function refusal(...parameters: Parameters<typeof startInVain>): Promise<string> {
  const [folder] = parameters;
  const before = await readTree(folder);
  const { complaint } = await startInVain(...parameters);
  expect(await readTree(folder)).toEqual(before);
  return complaint;
}

/** The same of a folder that is neither empty nor intact: what was found, and both ways on are said. */
async function foundIn(folder: string, settings: Record<string, string> = {}): Promise<string> {
  const complaint = await refusal(folder, settings);
  const [, found] =
    /^The folder \S+ cannot be used, and nothing in it was changed\. Found: (.+?)\. To restore it: .+\. To start over: .+\.$/.exec(
      complaint,
    ) ?? [];
  if (found === undefined) throw new Error(`It said:\n${complaint}`);
  return found;
}

/** Starts the program and counts the items that it has. */
async function countIn(folder: string): Promise<unknown> {
  const program = await start(folder);
  const count = await countItems(program);
  expect(await program.end('SIGTERM')).toEqual({ code: 0 });
  return count;
}

const databaseIn = (folder: string) => join(folder, 'database');
const dataIn = (folder: string) => join(folder, 'database', 'data');

async function overwrite(path: string, content: Buffer, position = 0): Promise<void> {
  const file = await open(path, 'r+');
  await file.write(content, 0, content.length, position);
  await file.close();
}

async function removeEverySecond(folder: string, first: 0 | 1): Promise<void> {
  const files = await listFiles(databaseIn(folder));
  for (const [index, path] of files.entries()) if (index % 2 === first) await rm(path);
}

async function logFiles(folder: string): Promise<string[]> {
  const files = await listFiles(join(dataIn(folder), 'pg_wal'));
  return files.filter((path) => /[0-9A-F]{24}$/.test(path));
}

/** The file of the table of items: that of a table which holds something and no template has. */
async function tableFile(folder: string): Promise<string> {
  const base = join(dataIn(folder), 'base', '5');
  const sizes = await Promise.all(
    (await readdir(base))
      .filter((name) => /^\d+$/.test(name) && Number(name) >= 16_384)
      .map(async (name) => ({ path: join(base, name), size: (await stat(join(base, name))).size })),
  );
  sizes.sort((a, b) => b.size - a.size);
  const [largest] = sizes;
  if (largest === undefined) throw new Error('There are no tables');
  return largest.path;
}

type Damage = [what: string, found: RegExp, damage: (folder: string) => Promise<unknown>];

/** Ways to damage a data folder, and what is found then, whoever left it. */
const DAMAGES: readonly Damage[] = [
  [
    'without data-is-whole',
    /^data-is-whole is missing$/,
    (folder) => rm(join(databaseIn(folder), 'data-is-whole')),
  ],
  ['without PG_VERSION', /missing: PG_VERSION$/, (folder) => rm(join(dataIn(folder), 'PG_VERSION'))],
  [
    'whose pg_control is damaged',
    /^PostgreSQL cannot open it: .*PG_CONTROL_VERSION|the content of global\/pg_control has changed$/,
    (folder) => overwrite(join(dataIn(folder), 'global', 'pg_control'), randomBytes(300)),
  ],
  [
    'whose write-ahead log is damaged',
    /^PostgreSQL cannot open it: could not locate a valid checkpoint record|the content of pg_wal\/0\w+ has changed/,
    async (folder) => {
      for (const path of await logFiles(folder)) {
        await overwrite(path, randomBytes((await stat(path)).size));
      }
    },
  ],
  [
    'without its write-ahead log',
    /missing: pg_wal\/0/,
    async (folder) => {
      for (const path of await logFiles(folder)) await rm(path);
    },
  ],
  [
    'with a bad sector in a table',
    /page \d+ of base\/5\/\d+ is damaged|the content of base\/5\/\d+ has changed/,
    async (folder) => overwrite(await tableFile(folder), randomBytes(512), 1_000),
  ],
  ['without every second file', /missing/, (folder) => removeEverySecond(folder, 0)],
  ['without the file of a table', /missing: base\/5\/\d+$/, async (folder) => rm(await tableFile(folder))],
  [
    'whose catalog of tables is damaged',
    /^PostgreSQL cannot open it: invalid page in block 0 of relation "base\/5\/1259"|the content of base\/5\/1259 has changed$/,
    (folder) => overwrite(join(dataIn(folder), 'base', '5', '1259'), randomBytes(16_384)),
  ],
];

const MORE_DAMAGES: readonly Damage[] = [
  [
    'without pg_control',
    /missing: global\/pg_control$/,
    (folder) => rm(join(dataIn(folder), 'global', 'pg_control')),
  ],
  [
    'without the record of what was committed',
    /missing: pg_xact/,
    (folder) => rm(join(dataIn(folder), 'pg_xact'), { recursive: true }),
  ],
  [
    'whose table was emptied, with the size it had',
    /^in \S+, the content of base\/5\/\d+ has changed$/,
    async (folder) => {
      const path = await tableFile(folder);
      await overwrite(path, Buffer.alloc((await stat(path)).size));
    },
  ],
  [
    'whose record of what was committed is empty',
    /^in \S+, the content of pg_xact\/0000 has changed$/,
    (folder) => overwrite(join(dataIn(folder), 'pg_xact', '0000'), Buffer.alloc(8192)),
  ],
  ['without the other half of its files', /missing/, (folder) => removeEverySecond(folder, 1)],
  [
    'of which only the folders are left',
    /missing/,
    async (folder) => {
      for (const path of await listFiles(databaseIn(folder))) await rm(path);
    },
  ],
  [
    'without the empty folders that some tools do not copy',
    /missing: .*pg_twophase/,
    async (folder) => {
      for (const name of ['pg_twophase', 'pg_tblspc', 'pg_stat']) {
        await rm(join(dataIn(folder), name), { recursive: true });
      }
    },
  ],
  ['without data', /^data is missing$/, (folder) => rm(dataIn(folder), { recursive: true })],
  [
    'with nothing but its lock',
    /^data and data-is-whole are missing$/,
    async (folder) => {
      await rm(dataIn(folder), { recursive: true });
      await rm(join(databaseIn(folder), 'data-is-whole'));
    },
  ],
  [
    'of another release of PostgreSQL',
    /^PostgreSQL 17 created it, and this version of the program has PostgreSQL 18$/,
    (folder) => writeFile(join(dataIn(folder), 'PG_VERSION'), '17\n'),
  ],
  [
    'with a link in place of a part of it',
    /pg_wal is not a folder/,
    async (folder) => {
      await rename(join(dataIn(folder), 'pg_wal'), join(folder, 'elsewhere'));
      await symlink(join(folder, 'elsewhere'), join(dataIn(folder), 'pg_wal'));
    },
  ],
  [
    'whose table was cut short',
    /base\/5\/\d+ has 8192 bytes instead of \d+$/,
    async (folder) => truncate(await tableFile(folder), 8192),
  ],
  [
    'that was restored over another one',
    /files of another database are among its own: base\/5\/99999, pg_wal\/0{7}10{14}FF$/,
    async (folder) => {
      await writeFile(join(dataIn(folder), 'base', '5', '99999'), randomBytes(8192));
      await writeFile(join(dataIn(folder), 'pg_wal', '0000000100000000000000FF'), randomBytes(8192));
    },
  ],
  [
    'whose manifest was cut short',
    /^data-is-whole is damaged$/,
    async (folder) => {
      const manifest = join(databaseIn(folder), 'data-is-whole');
      await truncate(manifest, Math.floor((await stat(manifest)).size / 2));
    },
  ],
];

/** A few of the damages, others in each run: the program starts for each. */
const [SOME_DAMAGES = []] = fc.sample(fc.subarray([...DAMAGES], { minLength: 3, maxLength: 3 }), {
  numRuns: 1,
  seed: fuzzSeed,
});

describe('a data folder that was closed', () => {
  test.for([...DAMAGES, ...MORE_DAMAGES])(
    '%s is refused, and stays as it is',
    async ([, found, damage], { folders }) => {
      const folder = await folders.copy(folders.closed);
      await damage(folder);
      expect(await foundIn(folder)).toMatch(found);
    },
  );

  test('opens without what holds no data, and with what others put into it', async ({ folders }) => {
    const folder = await folders.copy(folders.closed);
    await rm(join(databaseIn(folder), 'lock'));
    await writeFile(join(databaseIn(folder), 'holder.json'), 'nobody');
    await writeFile(join(databaseIn(folder), 'data-is-unfinished'), '');
    await writeFile(join(dataIn(folder), '.DS_Store'), 'left by a file manager');
    await appendFile(join(dataIn(folder), 'postgresql.conf'), '\n# edited\n');
    await rm(join(dataIn(folder), 'base', '5', 'pg_internal.init'), { force: true });
    expect(await countIn(folder)).toBe(ITEMS.closed);
  });

  test('opens through a link', async ({ folders }) => {
    const folder = await folders.copy(folders.closed);
    await rename(databaseIn(folder), join(folder, '..', 'moved'));
    await symlink(join(folder, '..', 'moved'), databaseIn(folder));
    expect(await countIn(folder)).toBe(ITEMS.closed);
  });
});

describe('a data folder whose program was killed', () => {
  test('opens with every item', async ({ folders }) => {
    expect(await countIn(await folders.copy(folders.killed))).toBe(ITEMS.killed);
  });

  test.for(SOME_DAMAGES)('%s is refused, and stays as it is', async ([, found, damage], { folders }) => {
    const folder = await folders.copy(folders.killed);
    await damage(folder);
    expect(await foundIn(folder)).toMatch(found);
  });
});

describe('a data folder of a version without manifests', () => {
  test('opens with every item, and is known file by file from then on', async ({ folders }) => {
    const folder = await folders.copy(folders.old);
    expect(await countIn(folder)).toBe(ITEMS.old);
    await rm(await tableFile(folder));
    expect(await foundIn(folder)).toMatch(/^in \S+, 1 of \d+ files are missing: base\/5\/\d+$/);
  });

  test.for(SOME_DAMAGES)('%s is refused, and stays as it is', async ([, found, damage], { folders }) => {
    const folder = await folders.copy(folders.old);
    await damage(folder);
    expect(await foundIn(folder)).toMatch(found);
  });
});

describe('the folder of a database', () => {
  test('whose lock holds something is refused, and is free again without that', async ({ folders }) => {
    const folder = await folders.copy(folders.closed);
    const lock = join(databaseIn(folder), 'lock');
    await writeFile(lock, randomBytes(5_000));
    expect(await refusal(folder)).toMatch(/^The lock file \S+ has 5000 bytes .*: delete this file and start/);
    await rm(lock);
    expect(await countIn(folder)).toBe(ITEMS.closed);
  });

  test('that a program has open is refused to another one, damaged as it may look by then', async ({
    folders,
  }) => {
    const folder = await folders.copy(folders.closed);
    const program = await start(folder);
    await rm(join(dataIn(folder), 'PG_VERSION'));
    await expect(start(folder)).rejects.toMatchObject({
      code: 1,
      complaint: expect.stringMatching(/^The data folder \S+ is in use: process \d+ on \S+ has had it open/),
    });
    await program.end('SIGTERM');
  });

  test('that holds the files of something else is refused', async ({ folders }) => {
    const folder = await emptyFolder(folders);
    await mkdir(databaseIn(folder));
    await writeFile(join(databaseIn(folder), 'customers.mdb'), 'theirs');
    expect(await foundIn(folder)).toBe('it holds no database of this program, but customers.mdb');
  });

  test('without files of uploads is no reason not to start, because a sync restores them', async ({
    folders,
  }) => {
    const folder = await folders.copy(folders.closed);
    await rm(join(folder, 'catalog', 'sortie'), { recursive: true });
    expect(await countIn(folder)).toBe(ITEMS.closed);
  });

  test('that is a file is refused', async ({ folders }) => {
    const folder = await emptyFolder(folders);
    await writeFile(databaseIn(folder), 'theirs');
    expect(await refusal(folder)).toMatch(
      /^The folder \S+database cannot be used: it is not a folder\. It must be/,
    );
    expect(await refusal(folder, { BLADE_DATA_FOLDER: databaseIn(folder) })).toMatch(/it is not a folder/);
  });

  test('that is a link to nowhere is refused', async ({ folders }) => {
    const folder = await emptyFolder(folders);
    await symlink(join(folder, 'nowhere'), databaseIn(folder));
    expect(await refusal(folder)).toMatch(/^The folder \S+ cannot be used: .+ It must be/);
  });

  test.skipIf(process.platform === 'win32')(
    'that cannot be written or read is refused',
    async ({ folders }) => {
      const folder = await folders.copy(folders.closed);
      const options = await giveAway(folder);
      for (const [path, mode] of [
        [databaseIn(folder), 0o500],
        [databaseIn(folder), 0o000],
        [await tableFile(folder), 0o400],
        [join(dataIn(folder), 'base'), 0o000],
        [join(dataIn(folder), 'base', '5'), 0o500],
        [join(databaseIn(folder), 'lock'), 0o400],
      ] as const) {
        const before = await readTree(folder);
        const { mode: modeBefore } = await stat(path);
        await chmod(path, mode);
        const { complaint } = await startInVain(folder, {}, options);
        await chmod(path, modeBefore);
        expect(await readTree(folder)).toEqual(before);
        expect(complaint).toMatch(
          /^The (folder|lock file) \S+ cannot be (used|locked): permission denied.* It must be a (folder|file) that/,
        );
      }
    },
  );

  test.skipIf(process.platform === 'win32')('on a full disk is left as it is', async ({ folders }) => {
    const folder = await folders.copy(folders.closed);
    const complaint = await refusal(folder, {}, { maxFileKilobytes: 16 });
    expect(complaint).toMatch(/^The folder \S+ cannot be used: the file is too large/);
    expect(await countIn(folder)).toBe(ITEMS.closed);
  });

  test('is no less refused to the command that makes API keys', async ({ folders }) => {
    const folder = await folders.copy(folders.closed);
    await rm(join(databaseIn(folder), 'data-is-whole'));
    const { PATH } = process.env;
    const ended = spawnSync(process.execPath, ['src/keys.ts', 'list'], {
      env: { PATH, BLADE_DATA_FOLDER: folder },
      encoding: 'utf8',
    });
    expect(ended).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/Found: data-is-whole is missing\./),
    });
    expect(ended.stderr).not.toContain('    at ');
  });
});

describe('a data folder without a database', () => {
  test('is refused where it holds somebody’s files', async ({ folders }) => {
    const folder = await emptyFolder(folders);
    await mkdir(join(folder, 'Documents'));
    await writeFile(join(folder, '.profile'), 'export EDITOR=vi');
    expect(await foundIn(folder)).toMatch(
      /^it holds no database, but (\.profile, Documents|Documents, \.profile)$/,
    );
  });

  test('is refused where its catalog has been uploaded to', async ({ folders }) => {
    const folder = await folders.copy(folders.closed);
    await rm(databaseIn(folder), { recursive: true });
    expect(await foundIn(folder)).toMatch(/^its database is missing, but \S+catalog holds what it uploaded$/);
    await mkdir(databaseIn(folder));
    expect(await foundIn(folder)).toMatch(/^its database is missing/);
  });

  test('gets one beside tables that somebody put there', async ({ folders }) => {
    const folder = await folders.copy(folders.closed);
    await rm(databaseIn(folder), { recursive: true });
    await rm(join(folder, 'catalog'), { recursive: true });
    expect(await countIn(folder)).toBe(0);
  });
});

describe('the folder of a catalog', () => {
  test.for<Damage>([
    [
      'without its list of uploads',
      /^it holds no catalog, but .*\bsortie\b/,
      (catalog) => rm(join(catalog, 'uploads.ndjson')),
    ],
    [
      'in which somebody’s files are',
      /^it holds no catalog, but notes\.txt$/,
      async (catalog) => {
        await rm(catalog, { recursive: true });
        await mkdir(catalog);
        await writeFile(join(catalog, 'notes.txt'), 'theirs');
      },
    ],
  ])('%s is refused, and all of the data folder stays as it is', async ([, found, damage], { folders }) => {
    const folder = await folders.copy(folders.closed);
    await damage(join(folder, 'catalog'));
    expect(await foundIn(folder)).toMatch(found);
  });

  test('without files of uploads is no reason not to start, because a sync restores them', async ({
    folders,
  }) => {
    const folder = await folders.copy(folders.closed);
    await rm(join(folder, 'catalog', 'sortie'), { recursive: true });
    expect(await countIn(folder)).toBe(ITEMS.closed);
  });

  test('that is a file is refused', async ({ folders }) => {
    const folder = await folders.copy(folders.closed);
    await rm(join(folder, 'catalog'), { recursive: true });
    await writeFile(join(folder, 'catalog'), 'theirs');
    expect(await refusal(folder)).toMatch(
      /^The folder \S+catalog cannot be used: it is not a folder\. .*BLADE_CATALOG_FOLDER/,
    );
  });
});

test('a warehouse whose tables were lost is not filled with those of the demo', async ({ folders }) => {
  const folder = await folders.copy(folders.closed);
  await rm(join(folder, 'warehouse'), { recursive: true });
  const program = await start(folder, { BLADE_DEMO_DATA: 'true' });
  await program.end('SIGTERM');
  expect(await readdir(folder)).not.toContain('warehouse');
});

test('whichever files are lost, it starts with every item or not at all, and then changes nothing', async ({
  folders,
}) => {
  const losses = fc.record({
    state: fc.constantFrom('closed', 'killed', 'old'),
    // How many files are lost, or of how many one is.
    loss: fc.oneof(
      fc.record({ files: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ oneIn: fc.constantFrom(1, 2, 10, 100) }),
    ),
    seed: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(losses, async ({ state, loss, seed }) => {
      const folder = await folders.copy(folders[state]);
      const chance = createChance(seed);
      const files = await listFiles(folder);
      const lost =
        'files' in loss
          ? Array.from({ length: loss.files }, () => files[chance.below(files.length)] ?? '')
          : files.filter(() => chance.below(loss.oneIn) === 0);
      // Every start takes the lock, and makes it where it is lost.
      for (const path of lost) if (!path.endsWith('/database/lock')) await rm(path, { force: true });

      const before = await readTree(folder);
      const started = await start(folder).catch((error: unknown) => error);
      if (started instanceof ProgramEndedError) {
        expect(await readTree(folder)).toEqual(before);
        expect(started.complaint).toMatch(/^The folder \S+ cannot be used, and nothing in it was changed/);
      } else {
        const program = started as Program;
        expect(await countItems(program)).toBe(ITEMS[state]);
        await program.end('SIGTERM');
        expect(await countCatalog(join(folder, 'catalog'))).toBe(ITEMS[state]);
      }
      await rm(folder, { recursive: true });
    }),
    fuzzParameters(0.03, 'lost files'),
  );
}, 600_000);

/** What can happen to a file. */
const MISHAPS: Readonly<Record<string, (path: string, chance: Chance) => Promise<unknown>>> = {
  async 'is truncated'(path, chance) {
    const { size } = await stat(path);
    if (size > 0) await truncate(path, chance.below(size));
  },
  'holds zeros': async (path) => overwrite(path, Buffer.alloc((await stat(path)).size)),
  'holds something else': async (path) => overwrite(path, randomBytes((await stat(path)).size)),
  async 'has a bad sector'(path, chance) {
    const { size } = await stat(path);
    if (size > 512) await overwrite(path, randomBytes(512), chance.below(size - 512));
  },
  'is longer': (path) => appendFile(path, randomBytes(1000)),
  async 'is a folder'(path) {
    await rm(path);
    await mkdir(path);
  },
  'is deleted': (path) => rm(path),
  'cannot be read': (path) => chmod(path, 0o000),
  'cannot be written': (path) => chmod(path, 0o400),
};

/** What can happen to a folder. */
const FOLDER_MISHAPS: typeof MISHAPS = {
  'is deleted': (path) => rm(path, { recursive: true }),
  async 'is a file'(path) {
    await rm(path, { recursive: true });
    await writeFile(path, 'not a folder');
  },
  'cannot be read': (path) => chmod(path, 0o000),
  'cannot be written': (path) => chmod(path, 0o500),
};

test('whatever happens to a file or folder of a closed database, it starts with every item or says in one line why not', async ({
  folders,
}) => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), async (seed) => {
      const folder = await folders.copy(folders.closed);
      const options = process.platform === 'win32' ? {} : await giveAway(folder);
      const chance = createChance(seed);
      const names = (await readdir(folder, { recursive: true }))
        .filter((name) => /^database/.test(name))
        .sort();
      const name = names[chance.below(names.length)] ?? '';
      const path = join(folder, name);
      const mishaps = Object.entries((await stat(path)).isDirectory() ? FOLDER_MISHAPS : MISHAPS);
      const [mishap, happen] = mishaps[chance.below(mishaps.length)] ?? [];
      await happen?.(path, chance);

      const context = `${name} ${mishap}`;
      const before = await readTree(folder);
      const started = await start(folder, {}, options).catch((error: unknown) => error);
      if (started instanceof ProgramEndedError) {
        expect(await readTree(folder), context).toEqual(before);
        expect(started.code, context).toBe(1);
        expect(started.complaint, context).toMatch(/^The (folder|lock file) \S+ .+\.$/);
      } else {
        const program = started as Program;
        expect(await countItems(program), context).toBe(ITEMS.closed);
        expect(await program.end('SIGTERM'), context).toEqual({ code: 0 });
      }
      await rm(folder, { recursive: true });
    }),
    fuzzParameters(0.05, 'damaged files'),
  );
}, 600_000);

async function countCatalog(folder: string): Promise<number> {
  let count = 0;
  for await (const _item of readFolderCatalog(folder)) count++;
  return count;
}

async function emptyFolder(folders: DataFolders): Promise<string> {
  const folder = await folders.copy(folders.closed);
  for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true });
  return folder;
}

/** Lets another user own a folder where this one may do anything. @returns how the program is started as that user. */
async function giveAway(folder: string): Promise<ProgramOptions> {
  if (process.getuid?.() !== 0) return {};
  const nobody = 65_534;
  for (const path of ['..', '.', ...(await readdir(folder, { recursive: true }))]) {
    await chown(join(folder, path), nobody, nobody);
  }
  return { userId: nobody };
}
