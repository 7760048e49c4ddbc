import { appendFile, mkdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { includeUnreadable, readParts } from '../../../src/sql-check/checked-statement.ts';
import { openFolderWarehouse } from '../../../src/warehouse/duckdb/open.ts';
import { folderWarehouse } from '../folder-warehouse.ts';
import { batchesOf, fieldTable, never, statement } from '../reading.ts';

type Folder = Awaited<ReturnType<typeof folderWarehouse>>;

async function writeText({ path }: Folder, file: string, text: string | Buffer): Promise<void> {
  await mkdir(dirname(path(file)), { recursive: true });
  await writeFile(path(file), text);
}

const ALL = 'SELECT * FROM blade.field.sortie';

describe('a table can be one file', () => {
  const CSV = 'item_id,hours\n1.10,2\n1.1,3\n';
  const NDJSON = '{"item_id":"1.10","hours":2}\n{"item_id":"1.1","hours":3}\n';

  test.each([
    ['sortie.csv', CSV],
    ['sortie.csv.gz', gzipSync(CSV)],
    ['sortie.csv.zst', zstdCompressSync(CSV)],
    ['SORTIE.CSV.GZ', gzipSync(CSV)],
    ['sortie.json', NDJSON],
    ['sortie.jsonl', NDJSON],
    ['sortie.ndjson', NDJSON],
    ['sortie.json.gz', gzipSync(NDJSON)],
    ['sortie.jsonl.zst', zstdCompressSync(NDJSON)],
    ['sortie.ndjson.gz', gzipSync(NDJSON)],
    // As `cat a.gz b.gz` and parallel compressors write them.
    ['sortie.csv.gz in two members', Buffer.concat([gzipSync(CSV.slice(0, 21)), gzipSync(CSV.slice(21))])],
  ])('such as %s', async (file, content) => {
    const folder = await folderWarehouse();
    await writeText(folder, file.split(' ')[0] ?? '', content);
    const toHours = (hours: number) => (/csv/i.test(file) ? String(hours) : hours);
    const [first, second] = [
      { item_id: '1.10', hours: toHours(2) },
      { item_id: '1.1', hours: toHours(3) },
    ];
    expect(await folder.rows(ALL)).toEqual([first, second]);
    expect(await folder.rows(`${ALL} WHERE hours > 2`)).toEqual([second]);
  });

  test('compressed, whose broken lines are told by their numbers', async () => {
    const folder = await folderWarehouse();
    await writeText(folder, 'sortie.csv.gz', gzipSync('item_id,hours\na,1\nb,2,3\nc,4\n'));
    const read = includeUnreadable(statement(ALL, {}));
    const batches = await batchesOf(folder.warehouse, read, 10);
    expect(batches.flatMap(({ rows }) => [...rows])).toEqual([
      { item_id: 'a', hours: '1' },
      { item_id: 'c', hours: '4' },
    ]);
    expect(batches.flatMap(({ unreadable = [] }) => [...unreadable])).toEqual([
      'Line 3 has 3 cells, and the header 2: nothing of it was read (blade.field.sortie).',
    ]);
  });

  test.each([
    ['sortie.csv.gz', gzipSync(CSV.repeat(1_000)).subarray(0, 60), 'gzip'],
    ['sortie.csv.zst', zstdCompressSync(CSV.repeat(1_000)).subarray(0, 30), 'Zstandard'],
    ['sortie.json.gz', Buffer.from('{"item_id":"not compressed"}'), 'gzip'],
  ])('and one that was cut off is refused: %s', async (file, content, name) => {
    const folder = await folderWarehouse();
    await writeText(folder, file, content);
    await expect(folder.rows(ALL)).rejects.toMatchObject({
      code: 'STATEMENT_FAILED',
      message: `The file is not whole: it cannot be decompressed as ${name}.`,
    });
  });

  test('but not two, which could both be meant', async () => {
    const folder = await folderWarehouse();
    await writeText(folder, 'sortie.csv', CSV);
    await writeText(folder, 'Sortie.json', NDJSON);
    await expect(folder.rows(ALL)).rejects.toMatchObject({
      code: 'STATEMENT_FAILED',
      message:
        'Both Sortie.json and sortie.csv in blade/field claim to be the table blade.field.sortie: rename or remove one of them.',
    });
  });
});

describe('a table can be a folder of files', () => {
  test('as Spark writes them, with markers and checksums beside them', async () => {
    const folder = await folderWarehouse();
    await writeText(folder, 'sortie/part-00001-9f.c000.csv', 'item_id,hours\nb,2\n');
    await writeText(folder, 'sortie/part-00000-9f.c000.csv', 'item_id,hours\na,1\n');
    await writeText(folder, 'sortie/part-00002-9f.c000.csv', '');
    for (const marker of [
      '_SUCCESS',
      '._SUCCESS.crc',
      '.part-00000-9f.c000.csv.crc',
      '_committed_12',
      '.DS_Store',
    ])
      await writeText(folder, `sortie/${marker}`, 'x');
    expect(await folder.rows(ALL)).toEqual([
      { item_id: 'a', hours: '1' },
      { item_id: 'b', hours: '2' },
    ]);
  });

  test.each(['parquet', 'csv', 'json'])(
    '%s, matched by name, where some files lack columns',
    async (ending) => {
      const folder = await folderWarehouse();
      await mkdir(folder.path(`sortie.${ending}`));
      await folder.write(`sortie.${ending}/a.${ending}`, `SELECT 'a' AS item_id, 'x' AS base`);
      await folder.write(`sortie.${ending}/b.${ending}`, `SELECT 'y' AS BASE, 'b' AS item_id, 'z' AS pilot`);
      expect(await folder.rows(ALL)).toEqual([
        { item_id: 'a', base: 'x', pilot: null },
        { item_id: 'b', base: 'y', pilot: 'z' },
      ]);
    },
  );

  test('of which SQL takes a column for numbers only if all files hold numbers', async () => {
    const folder = await folderWarehouse();
    await writeText(folder, 'sortie/a.csv', 'item_id,hours\na,9\n');
    await writeText(folder, 'sortie/b.csv.gz', gzipSync('item_id,hours\nb,10\n'));
    expect(await folder.rows(`${ALL} WHERE hours > 9`)).toEqual([{ item_id: 'b', hours: '10' }]);
    await writeText(folder, 'sortie/c.csv', 'item_id,hours\nc,x\n');
    await expect(folder.rows(`${ALL} WHERE hours > 9`)).rejects.toThrow();
  });

  test('of NDJSON, in which a column that is a number here and a text there keeps both', async () => {
    const folder = await folderWarehouse();
    await writeText(folder, 'sortie/a.json', '{"item_id":1}\n');
    await writeText(folder, 'sortie/b.json', '{"item_id":"1","tags":["x"]}\n');
    expect(await folder.rows(ALL)).toEqual([
      { item_id: 1, tags: null },
      { item_id: '1', tags: ['x'] },
    ]);
  });

  test('whose broken lines are told by file and number', async () => {
    const folder = await folderWarehouse();
    await writeText(folder, 'sortie/day=1/a.csv', 'item_id,hours\na,1\n');
    await writeText(folder, 'sortie/day=2/b.csv', 'item_id,hours\nb\nc,2\n');
    const read = includeUnreadable(statement(ALL, {}));
    const batches = await batchesOf(folder.warehouse, read, 10);
    expect(batches.flatMap(({ unreadable = [] }) => [...unreadable])).toEqual([
      'Line 2 of day=2/b.csv has 1 cell, and the header 2: nothing of it was read (blade.field.sortie).',
    ]);
    expect(await folder.warehouse.countUnreadable(fieldTable('sortie'), never)).toBe(1);
  });

  test('and NDJSON lines that are no rows by file and number', async () => {
    const folder = await folderWarehouse();
    await writeText(folder, 'sortie/a.json', '\n{"item_id":"a"}\n[1]\n');
    await writeText(folder, 'sortie/b.json', '{"item_id":"b"}\n\n\n2\n');
    const read = includeUnreadable(statement(ALL, {}));
    const batches = await batchesOf(folder.warehouse, read, 10);
    expect(batches.flatMap(({ rows }) => [...rows])).toEqual([{ item_id: 'a' }, { item_id: 'b' }]);
    expect(batches.flatMap(({ unreadable = [] }) => [...unreadable])).toEqual([
      'Line 3 of a.json is not an object: nothing of it was read (blade.field.sortie).',
      'Line 4 of b.json is not an object: nothing of it was read (blade.field.sortie).',
    ]);
  });

  const [row, object] = ['item_id,hours\na,1\n', '{"item_id":"a","hours":"1"}\n'];

  test.each([
    ['csv', '', '', row],
    ['csv', ' of line ends', '\r\n\r\n\n', row],
    ['csv', ' of white space', '  \n \t \n', row],
    ['csv', ' of a byte order mark', '\ufeff\n', row],
    ['csv', ' of a header', 'item_id,hours', row],
    ['csv.gz', ' of nothing', gzipSync(''), gzipSync(row)],
    ['csv.zst', ' of nothing', zstdCompressSync(''), zstdCompressSync(row)],
    ['csv.gz', ' cut to nothing', '', gzipSync(row)],
    ['ndjson', '', '', object],
    ['ndjson', ' of white space', '\ufeff \r\n', object],
    ['ndjson.gz', ' of nothing', gzipSync(''), gzipSync(object)],
  ])('with an empty file (.%s%s) anywhere in it, which has no rows', async (ending, _what, empty, filled) => {
    const folder = await folderWarehouse();
    for (const place of [0, 1, 2, 3, 4])
      await writeText(folder, `sortie/part-${place}.${ending}`, place % 2 === 0 ? empty : filled);
    const [one] = [{ item_id: 'a', hours: '1' }];
    expect(await folder.rows(ALL)).toEqual([one, one]);
    expect(await folder.warehouse.countUnreadable(fieldTable('sortie'), never)).toBe(0);
  });

  test('with an empty file as large as others, which is a part without rows', async () => {
    const folder = await folderWarehouse();
    const blank = '\n'.repeat(row.length);
    for (const [place, text] of [blank, row, row, blank].entries())
      await writeText(folder, `sortie/part-${place}.csv`, text);
    const counts = await Promise.all(
      [0, 1, 2, 3].map((first) =>
        folder.warehouse.countRows(readParts(statement(ALL), { first, end: first + 1 }), never),
      ),
    );
    expect(counts).toEqual([0, 1, 1, 0]);
  });

  test('of nothing but empty files is refused: without a header, nobody knows its columns', async () => {
    const folder = await folderWarehouse();
    await writeText(folder, 'sortie/a.csv', '\n');
    await writeText(folder, 'sortie/b.csv.gz', gzipSync(''));
    await expect(folder.rows(ALL)).rejects.toMatchObject({
      code: 'STATEMENT_FAILED',
      message: 'All files of blade/field/sortie are empty: none has a header or rows.',
    });
  });

  test('with hundreds of files, in the order of their names', async () => {
    const folder = await folderWarehouse();
    const files = Array.from({ length: 300 }, (_, index) => index);
    await mkdir(folder.path('sortie'));
    for (const index of files)
      await writeFile(folder.path(`sortie/${String(index).padStart(4, '0')}.csv`), `item_id\n${index}\n`);
    expect((await folder.rows(ALL)).map((row) => Number(row.item_id))).toEqual(files);
    expect(await folder.rows(`${ALL} LIMIT 2`)).toEqual([{ item_id: '0' }, { item_id: '1' }]);
  });

  test('with hundreds of files of many rows, of which some are asked for', async () => {
    const folder = await folderWarehouse();
    await mkdir(folder.path('sortie'));
    const rows = Array.from({ length: 50 }, (_, index) => index).join('\n');
    for (let file = 0; file < 200; file += 1)
      await writeFile(folder.path(`sortie/${file}.csv`), `item_id\n${rows}\n`);
    expect(await folder.rows(`${ALL} LIMIT 1`)).toEqual([{ item_id: '0' }]);
  });
});

describe('partitions of a folder are columns', () => {
  test('with the type that all of their values have', async () => {
    const folder = await folderWarehouse();
    await folder.write(
      'sortie.parquet',
      `SELECT * FROM (VALUES ('a', 1, 10000000000, DATE '2024-01-02', '007', 'x y'),
        ('b', 2, 5, NULL, '8', 'a:b%')) AS t(item_id, n, big, day, code, name)`,
      'PARTITION_BY (n, big, day, code, name)',
    );
    expect(await folder.rows(ALL)).toEqual([
      { item_id: 'a', n: 1, big: 10_000_000_000, day: '2024-01-02', code: '007', name: 'x y' },
      { item_id: 'b', n: 2, big: 5, day: null, code: '8', name: 'a:b%' },
    ]);
    expect(await folder.rows(`${ALL} WHERE day = DATE '2024-01-02'`)).toHaveLength(1);
    expect(await folder.warehouse.describeTable(fieldTable('sortie'), never)).toEqual([
      { name: 'item_id', type: 'STRING' },
      { name: 'n', type: 'INT', isInferred: true },
      { name: 'big', type: 'BIGINT', isInferred: true },
      { name: 'day', type: 'DATE', isInferred: true },
      { name: 'code', type: 'STRING', isInferred: true },
      { name: 'name', type: 'STRING', isInferred: true },
    ]);
  });

  test.each(['csv', 'json'])('which never replace a column of a %s file', async (ending) => {
    const folder = await folderWarehouse();
    await mkdir(folder.path('sortie/Region=eu'), { recursive: true });
    await folder.write(`sortie/Region=eu/a.${ending}`, `SELECT 'a' AS item_id, 'us' AS region`);
    expect(await folder.rows(ALL)).toEqual([{ item_id: 'a', region: 'us' }]);
  });

  test('in any script, as Spark writes it and as pandas and DuckDB escape it', async () => {
    const folder = await folderWarehouse();
    await writeText(folder, 'sortie/base=Zürich/a.csv', 'item_id\na\n');
    await writeText(folder, 'sortie/base=%C3%85rhus%2F東京/b.csv', 'item_id\nb\n');
    await writeText(folder, 'sortie/base=100%25/c.csv', 'item_id\nc\n');
    await writeText(folder, 'sortie/base=%FF/d.csv', 'item_id\nd\n');
    const rows = await folder.rows(`${ALL} ORDER BY item_id`);
    expect(rows.map(({ base }) => base)).toEqual(['Zürich', 'Århus/東京', '100%', '%FF']);
  });

  test('and texts if one of the days does not exist', async () => {
    const folder = await folderWarehouse();
    await writeText(folder, 'sortie/day=2024-02-29/a.csv', 'item_id\na\n');
    await writeText(folder, 'sortie/day=2024-02-30/b.csv', 'item_id\nb\n');
    expect(await folder.rows(ALL)).toEqual([
      { item_id: 'a', day: '2024-02-29' },
      { item_id: 'b', day: '2024-02-30' },
    ]);
  });

  test.each([
    ['csv', 'wing,item_id\n7,a\n'],
    ['ndjson', '{"wing":"7","item_id":"a"}\n'],
  ])('which the files of %s also have, but for an empty one', async (ending, text) => {
    const folder = await folderWarehouse();
    await writeText(folder, `sortie/wing=1/empty.${ending}`, '\n');
    await writeText(folder, `sortie/wing=2/full.${ending}`, text);
    expect(await folder.rows(ALL)).toEqual([{ wing: '7', item_id: 'a' }]);
  });

  test('not those of the folders above it', async () => {
    const folder = await folderWarehouse();
    await writeText(folder, '../env=prod/sortie/day=1/a.csv', 'item_id\na\n');
    expect(await folder.rows('SELECT * FROM blade.`env=prod`.sortie')).toEqual([{ item_id: 'a', day: 1 }]);
  });
});

describe('a folder is refused by name', () => {
  test.each([
    [
      'with two formats',
      ['a.csv', 'b.json'],
      /blade\/field\/sortie\/a.csv and blade\/field\/sortie\/b.json have two/,
    ],
    ['with a file of no format', ['a.csv', 'notes.txt'], /notes.txt is none of .parquet, .csv/],
    ['with a folder that is no partition', ['a.csv', 'old/b.csv'], /old is a folder that names no partition/],
    [
      'with partitions of some files only',
      ['a.csv', 'day=1/b.csv'],
      /a.csv and day=1\/b.csv are not in partitions/,
    ],
    [
      'of a Delta table',
      ['a.parquet', '_delta_log/0.json'],
      /it is a Delta table, whose files can hold rows that were deleted/,
    ],
    [
      'of an Iceberg table',
      ['data/a.parquet', 'metadata/v1.metadata.json'],
      /it is an Iceberg table|names no partition/,
    ],
    ['of a Hudi table', ['a.parquet', '.hoodie/hoodie.properties'], /it is a Hudi table/],
  ])('%s', async (_name, files, message) => {
    const folder = await folderWarehouse();
    for (const file of files) await writeText(folder, `sortie/${file}`, 'item_id\n');
    await expect(folder.rows(ALL)).rejects.toMatchObject({
      code: 'STATEMENT_FAILED',
      message: expect.stringMatching(message),
    });
  });

  test.each([
    ['sortie/a=1/a=2/a.csv', 'a=1/a=2 names the column a twice'],
    ['sortie/a=1/A=2/a.csv', 'a=1/A=2 names the column A twice'],
  ])('with a partition within one of the same column: %s', async (file, problem) => {
    const folder = await folderWarehouse();
    await writeText(folder, file, 'item_id\n');
    await expect(folder.rows(ALL)).rejects.toMatchObject({
      message: `The folder of blade.field.sortie cannot be read: ${problem}.`,
    });
  });

  test.each(['csv', 'parquet', 'json'])(
    'with a partition that only some %s files have as a column',
    async (ending) => {
      const folder = await folderWarehouse();
      for (const day of [1, 2]) await mkdir(folder.path(`sortie/day=${day}`), { recursive: true });
      await folder.write(`sortie/day=1/a.${ending}`, "SELECT 'a' AS item_id, 'own' AS Day");
      await folder.write(`sortie/day=2/b.${ending}`, "SELECT 'b' AS item_id");
      await expect(folder.rows(ALL)).rejects.toMatchObject({
        message: `The folders state the column day, which blade/field/sortie/day=1/a.${ending} has as well and blade/field/sortie/day=2/b.${ending} has not: write it into all files, or none.`,
      });
    },
  );

  test('with a partition that only some lines of an NDJSON file have as a key', async () => {
    const folder = await folderWarehouse();
    await writeText(folder, 'sortie/day=1/a.json', '{"item_id":"a","DAY":"own"}\n\n{"item_id":"b"}\n');
    await expect(folder.rows(ALL)).rejects.toMatchObject({
      message:
        'The folders state the column day, which some lines of blade/field/sortie/day=1/a.json have as well: write it into all lines, or none.',
    });
    await writeText(
      folder,
      'sortie/day=1/a.json',
      '{"item_id":"a","DAY":"own"}\n\n{"item_id":"b","day":null}\n',
    );
    expect(await folder.rows(ALL)).toEqual([
      { item_id: 'a', DAY: 'own' },
      { item_id: 'b', DAY: null },
    ]);
  });

  test('with a link to nothing, whose rows would be missing', async () => {
    const folder = await folderWarehouse();
    await writeText(folder, 'sortie/a.csv', 'item_id\na\n');
    await symlink(folder.path('elsewhere.csv'), folder.path('sortie/b.csv'));
    await expect(folder.rows(ALL)).rejects.toMatchObject({
      message: 'The folder of blade.field.sortie cannot be read: b.csv is a link to nothing.',
    });
    await writeText(folder, 'elsewhere.csv', 'item_id\nb\n');
    expect(await folder.rows(ALL)).toHaveLength(2);
  });

  test.for(['csv', 'ndjson', 'parquet'])(
    'with a link out of the folder of the warehouse, to %s',
    async (ending) => {
      const folder = await folderWarehouse();
      const outside = await folderWarehouse({});
      const write = (one: typeof folder, path: string) =>
        ending === 'parquet'
          ? one.write(path, "SELECT 'a' AS item_id")
          : writeText(one, path, ending === 'csv' ? 'item_id\na\n' : '{"item_id":"a"}\n');
      await mkdir(folder.path('sortie'));
      await write(outside, `outside.${ending}`);
      await write(folder, `inside.${ending}`);
      await write(folder, `sortie/a.${ending}`);
      await symlink(folder.path(`inside.${ending}`), folder.path(`sortie/b.${ending}`));
      expect(await folder.rows(ALL)).toHaveLength(2);
      await symlink(outside.path(`outside.${ending}`), folder.path(`sortie/c.${ending}`));
      await expect(folder.rows(ALL)).rejects.toMatchObject({
        code: 'STATEMENT_FAILED',
        message: `The file is reached through a link that leads out of the folder of the warehouse: move what it leads to into that folder. (in blade/field/sortie/c.${ending})`,
      });
    },
  );

  test('with a part that cannot be listed, whose rows would be missing', async () => {
    const folder = await folderWarehouse();
    await writeText(folder, 'sortie/day=1/a.csv', 'item_id\na\n');
    await symlink('day=2', folder.path('sortie/day=2'));
    await expect(folder.rows(ALL)).rejects.toMatchObject({
      code: 'STATEMENT_FAILED',
      message: 'The link blade/field/sortie/day=2 cannot be read (ELOOP).',
    });
  });

  test('with a column of two types', async () => {
    const folder = await folderWarehouse();
    await mkdir(folder.path('sortie'));
    await folder.write('sortie/a.parquet', 'SELECT 1 AS item_id');
    await folder.write('sortie/b.parquet', "SELECT 'x' AS item_id");
    await expect(folder.rows(ALL)).rejects.toMatchObject({
      message:
        'The column item_id is INTEGER in blade/field/sortie/a.parquet and VARCHAR in blade/field/sortie/b.parquet: write both with one type.',
    });
  });

  test('with a broken file, which is named', async () => {
    const folder = await folderWarehouse();
    await writeText(folder, 'sortie/a.csv', 'item_id\na\n');
    await writeText(folder, 'sortie/b.csv', 'item_id,x\n"a,b\nc,d\n');
    await expect(folder.rows(ALL)).rejects.toThrow(
      /quote is never closed. \(in blade\/field\/sortie\/b.csv\)$/,
    );
    await writeText(folder, 'sortie/b.csv', 'item_id\nb\n');
    expect(await folder.rows(ALL)).toHaveLength(2);
  });

  test('with what was found and what would work, if there is nothing of the name', async () => {
    const folder = await folderWarehouse();
    await writeText(folder, 'sorties.csv', 'item_id\n');
    await writeText(folder, 'flights/a.csv', 'item_id\n');
    await expect(folder.rows(ALL)).rejects.toMatchObject({
      code: 'TABLE_NOT_FOUND',
      message:
        'There is no table blade.field.sortie in the warehouse. blade/field has flights/, sorties.csv; the table would be a folder sortie, or a file sortie that ends in .parquet, .csv, .ndjson, .jsonl or .json (the texts also with .gz or .zst).',
    });
    await expect(folder.rows('SELECT * FROM blade.filed.sortie')).rejects.toMatchObject({
      message: 'There is no table blade.filed.sortie in the warehouse. Its folder has no folder blade/filed.',
    });
  });

  test('without data files', async () => {
    const folder = await folderWarehouse();
    await writeText(folder, 'sortie/_SUCCESS', '');
    await expect(folder.rows(ALL)).rejects.toMatchObject({
      code: 'TABLE_NOT_FOUND',
      message:
        'There is no table blade.field.sortie in the warehouse. The folder blade/field/sortie holds no data file.',
    });
  });
});

describe('what changes in a folder', () => {
  test('is seen by the next statement', async () => {
    const folder = await folderWarehouse();
    await writeText(folder, 'sortie/a.csv', 'item_id\na\n');
    expect(await folder.rows(ALL)).toHaveLength(1);
    await writeText(folder, 'sortie/b.csv', 'item_id\nb\n');
    expect(await folder.rows(ALL)).toHaveLength(2);
    await appendFile(folder.path('sortie/a.csv'), 'c\n');
    expect((await folder.rows(ALL)).map((row) => row.item_id)).toEqual(['a', 'c', 'b']);
  });

  test('changes its version and its contents', async () => {
    const folder = await folderWarehouse();
    const { warehouse } = folder;
    const tables = [fieldTable('sortie')];
    const find = async () => [
      await warehouse.findVersion(tables, never),
      await warehouse.findContents?.(tables, never),
    ];
    await writeText(folder, 'sortie/a.csv', 'item_id\na\n');
    const before = await find();
    expect(await find()).toEqual(before);
    await writeText(folder, 'sortie/b.csv', 'item_id\nb\n');
    const after = await find();
    expect(after[0]).not.toBe(before[0]);
    expect(after[1]).not.toBe(before[1]);
  });

  test('between the plan of one process and the read of another is CHANGED, whatever its files would now be read as', async () => {
    const folder = await folderWarehouse();
    const other = await openFolderWarehouse({ folder: folder.folder });
    onTestFinished(() => other.close());
    const time = new Date('2026-01-02T03:04:05Z');
    const changes: (readonly [file: string, text: string])[] = [
      ['a.csv', 'item_id;n\na;1\n'],
      ['a.csv', 'item_id,m\na,1\n'],
      ['a.csv', 'item_id,n\na,x\n'],
      ['0.csv', 'item_id,o\na,1\n'],
      ['b.csv', '\n'],
    ];
    for (const [file, text] of changes) {
      await rm(folder.path('sortie'), { recursive: true, force: true });
      await writeText(folder, 'sortie/a.csv', 'item_id,n\na,1\n');
      await utimes(folder.path('sortie/a.csv'), time, time);
      const version = await folder.warehouse.findVersion([fieldTable('sortie')], never);
      const read = async () => {
        const options = { batchSize: 10, resumeAfter: null, version, signal: never };
        const { batches } = await other.readRows(statement(`${ALL} WHERE n > 0`), options);
        return (await Array.fromAsync(batches)).flatMap(({ rows }) => [...rows]);
      };
      expect(await read()).toEqual([{ item_id: 'a', n: '1' }]);
      await writeText(folder, `sortie/${file}`, text);
      // Of the same size, and with the time of the one before.
      await utimes(folder.path(`sortie/${file}`), time, time);
      await expect(read(), text).rejects.toMatchObject({ code: 'CHANGED' });
    }
  });

  test('while it is read ends the read as CHANGED', async () => {
    const folder = await folderWarehouse();
    await writeText(folder, 'sortie/a.csv', 'item_id\na\n');
    const { batches } = await folder.warehouse.readRows(statement(ALL, {}), {
      batchSize: 1,
      resumeAfter: null,
      signal: never,
    });
    await writeText(folder, 'sortie/b.csv', 'item_id\nb\n');
    await expect(Array.fromAsync(batches)).rejects.toMatchObject({ code: 'CHANGED' });
  });
});
