import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { includeUnreadable, readParts } from '../../../src/sql-check/checked-statement.ts';
import type { Row } from '../../../src/warehouse/warehouse.ts';
import { type Chance, createChance } from '../../support/chance.ts';
import { fuzzParameters } from '../../support/fuzz-runs.ts';
import { type FolderWarehouse, folderWarehouse } from '../folder-warehouse.ts';
import { batchesOf, fieldTable, never, statement } from '../reading.ts';

/** What was written into a folder of files. */
interface Written {
  /** The rows of each file, in the order of their paths. */
  readonly files: readonly (readonly Row[])[];
  /** How many lines of each are no rows. */
  readonly broken: readonly number[];
}

const COMPRESSIONS: Readonly<Record<string, (text: string) => string | Buffer>> = {
  '': (text) => text,
  '.gz': (text) => gzipSync(text),
  '.zst': (text) => zstdCompressSync(text),
};

/** Writes a random table of files that have some columns in common, and keeps what is in them. */
async function writeRandomTable(
  { path, write }: FolderWarehouse,
  chance: Chance,
  format: 'parquet' | 'csv' | 'ndjson',
): Promise<Written> {
  await rm(path('sortie'), { recursive: true, force: true });
  const isPartitioned = chance.below(3) === 0;
  const files: { readonly place: string; readonly rows: Row[]; readonly broken: number }[] = [];
  const names = new Set<string>();
  const count = 1 + chance.below(12);
  const columns = ['item_id', 'pilot', 'base'];
  for (let file = 0; file < count; file += 1) {
    // Files with other columns, or in another order, are read by themselves.
    const own = chance.below(4) === 0 ? columns.toReversed() : columns;
    const extra = chance.below(5) === 0 ? [...own, 'notes'] : own;
    const rows = Array.from({ length: chance.below(chance.oneOf([1, 3, 400])) }, (_, row) =>
      Object.fromEntries(extra.map((column) => [column, writeCell(chance, column, file, row)])),
    );
    const folder = isPartitioned ? `day=2024-01-0${1 + Math.floor(file / 4)}/` : '';
    const ending = format === 'parquet' ? '' : chance.oneOf(['', '', '.gz', '.zst']);
    const place = `${folder}part-${String(file).padStart(3, '0')}.${format}${ending}`;
    await mkdir(dirname(path(`sortie/${place}`)), { recursive: true });
    // Its delimiter and its line ends are those of the file.
    const broken = format === 'csv' && rows.length > 1 && chance.below(4) === 0 ? 1 : 0;
    if (format === 'parquet')
      await write(`sortie/${place}`, toQuery(extra, rows), `ROW_GROUP_SIZE ${chance.oneOf([2_048, 4_096])}`);
    else {
      const text = format === 'csv' ? toCsv(chance, extra, rows, broken) : toNdjson(rows);
      await writeFile(path(`sortie/${place}`), COMPRESSIONS[ending]?.(text) ?? text);
    }
    // NDJSON has the columns of its rows, and the others those of their headers.
    if (format !== 'ndjson' || rows.length > 0) for (const name of extra) names.add(name);
    const day = isPartitioned ? { day: folder.slice(4, -1) } : {};
    if (format === 'parquet' || format === 'csv' || rows.length > 0 || ending !== '')
      files.push({ place, rows: rows.map((row) => ({ ...row, ...day })), broken });
  }
  const sorted = files.toSorted((one, other) => (one.place < other.place ? -1 : 1));
  if (isPartitioned) names.add('day');
  return {
    files: sorted.map(({ rows }) =>
      rows.map((row) => Object.fromEntries([...names].map((name) => [name, row[name] ?? null]))),
    ),
    broken: sorted.map(({ broken }) => broken),
  };
}

function writeCell(chance: Chance, column: string, file: number, row: number): string {
  if (column === 'item_id') return `S-${file}-${row}`;
  return chance.oneOf(['Ramstein', 'a, b', 'x"y', 'ÄÖ ☃', '007', 'line\nend', ' padded ', `${file}/${row}`]);
}

function toQuery(columns: readonly string[], rows: readonly Row[]): string {
  const quote = (value: unknown) => `'${String(value).replaceAll("'", "''")}'`;
  const selects = columns.map((column, index) => `col${index}::VARCHAR AS "${column}"`).join(', ');
  const values = rows.map((row) => `(${columns.map((column) => quote(row[column])).join(', ')})`);
  const filler = `(${columns.map(() => 'NULL').join(', ')})`;
  const list = values.length === 0 ? filler : values.join(', ');
  return `SELECT ${selects} FROM (VALUES ${list}) ${values.length === 0 ? 'WHERE false' : ''}`;
}

function toCsv(chance: Chance, columns: readonly string[], rows: readonly Row[], broken: number): string {
  const [delimiter, end] = [chance.oneOf([',', ';']), chance.oneOf(['\n', '\r\n'])];
  const quote = (value: unknown) => `"${String(value).replaceAll('"', '""')}"`;
  const lines = rows.map((row) => columns.map((column) => quote(row[column])).join(delimiter));
  const place = chance.below(lines.length + 1);
  const all = broken === 0 ? lines : [...lines.slice(0, place), '"only one"', ...lines.slice(place)];
  return [columns.join(delimiter), ...all].map((line) => `${line}${end}`).join('');
}

function toNdjson(rows: readonly Row[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

test.each(['parquet', 'csv', 'ndjson'] as const)(
  'random folders of %s files are read by parts as they are as a whole, and as they were written',
  async (format) => {
    const { numRuns, seed } = fuzzParameters(0.06, format);
    const folder = await folderWarehouse();
    const { warehouse } = folder;
    for (let run = 0; run < numRuns; run += 1) {
      const chance = createChance(seed + run);
      const { files, broken } = await writeRandomTable(folder, chance, format);
      if (files.flat().length === 0) continue;
      const context = `seed ${seed + run}`;
      const all = statement('SELECT * FROM blade.field.sortie');
      const version = (await warehouse.findVersion([fieldTable('sortie')], never)) ?? '';
      const parts = (await warehouse.findParts?.(fieldTable('sortie'), version, never)) ?? [];
      expect(parts, context).toHaveLength(files.length);
      expect(await readRows(folder, all), context).toEqual(files.flat());
      for (let first = 0, end = 0; first < files.length; first = end) {
        end = Math.min(files.length, first + 1 + chance.below(4));
        const some = readParts(all, { first, end });
        const expected = files.slice(first, end).flat();
        expect(await readRows(folder, some), `${context}, files ${first} to ${end}`).toEqual(expected);
        expect(await warehouse.countRows(some, never), context).toBe(expected.length);
        const unreadable = broken.slice(first, end).reduce((sum, lines) => sum + lines, 0);
        const withUnreadable = includeUnreadable(some);
        expect(await warehouse.countRows(withUnreadable, never), context).toBe(expected.length + unreadable);
        const batches = await batchesOf(warehouse, withUnreadable, 50);
        expect(
          batches.flatMap(({ unreadable: lines = [] }) => lines),
          context,
        ).toHaveLength(unreadable);
        const wanted = expected.filter(({ pilot }) => pilot === '007');
        const filtered = statement("SELECT * FROM blade.field.sortie WHERE pilot = '007'");
        expect(await readRows(folder, readParts(filtered, { first, end })), context).toEqual(wanted);
      }
    }
  },
  120_000,
);

async function readRows(
  { warehouse }: FolderWarehouse,
  select: ReturnType<typeof statement>,
): Promise<Row[]> {
  return (await batchesOf(warehouse, select, 50)).flatMap(({ rows }) => [...rows]);
}

test('a part resumes at its own position, and another part does not', async () => {
  const { warehouse, write, path } = await folderWarehouse();
  await mkdir(path('sortie'));
  for (const file of [0, 1, 2, 3])
    await write(`sortie/${file}.parquet`, `SELECT i + ${file * 100} AS id FROM range(100) t(i)`);
  const all = statement('SELECT * FROM blade.field.sortie');
  const [one, other] = [readParts(all, { first: 1, end: 3 }), readParts(all, { first: 0, end: 2 })];
  const [first] = await batchesOf(warehouse, one, 150);
  expect(first?.rows.at(-1)).toEqual({ id: 249 });
  const rest = await batchesOf(warehouse, one, 1_000, first?.position);
  expect(rest.flatMap(({ rows }) => rows.map(({ id }) => id))).toEqual(
    Array.from({ length: 50 }, (_, index) => 250 + index),
  );
  const options = { batchSize: 1_000, resumeAfter: first?.position ?? null, signal: never };
  expect(await warehouse.readRows(other, options)).toMatchObject({ resumed: false });
  expect(await warehouse.readRows(all, options)).toMatchObject({ resumed: false });
});

test('files that are removed or added after the plan are another version', async () => {
  const { warehouse, write, path } = await folderWarehouse();
  await mkdir(path('sortie'));
  for (const file of [0, 1, 2]) await write(`sortie/${file}.parquet`, `SELECT ${file} AS id`);
  const version = (await warehouse.findVersion([fieldTable('sortie')], never)) ?? '';
  const part = readParts(statement('SELECT * FROM blade.field.sortie'), { first: 2, end: 3 });
  const options = { batchSize: 10, resumeAfter: null, signal: never, version };
  const { batches } = await warehouse.readRows(part, options);
  expect((await Array.fromAsync(batches)).flatMap(({ rows }) => [...rows])).toEqual([{ id: 2 }]);
  await rm(path('sortie/0.parquet'));
  await expect(warehouse.readRows(part, options)).rejects.toMatchObject({ code: 'CHANGED' });
  await expect(warehouse.findParts?.(fieldTable('sortie'), version, never)).rejects.toMatchObject({
    code: 'CHANGED',
  });
  await expect(warehouse.countRows(part, never)).rejects.toMatchObject({ code: 'CHANGED' });
});

test('a thousand small files are one table', async () => {
  const { warehouse, rows, path } = await folderWarehouse();
  for (const [table, text] of [
    ['csv', (file: number) => `item_id,hours\nS-${file},${file}\n`],
    ['ndjson', (file: number) => `{"item_id":"S-${file}","hours":${file}}\n`],
  ] as const) {
    await mkdir(path(table));
    for (let file = 0; file < 1_000; file += 1)
      await writeFile(path(`${table}/${String(file).padStart(4, '0')}.${table}`), text(file));
    expect(await rows(`SELECT COUNT(*) AS total, SUM(hours) AS hours FROM blade.field.${table}`)).toEqual([
      { total: 1_000, hours: 499_500 },
    ]);
    expect(await warehouse.countUnreadable(fieldTable(table), never)).toBe(0);
  }
});
