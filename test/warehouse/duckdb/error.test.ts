import { expect, test } from 'vitest';
import { nameLimit } from '../../../src/warehouse/duckdb/statement.ts';
import { folderWarehouse } from '../folder-warehouse.ts';

test.each([
  ['letters', "repeat('a', 12000000)"],
  ['backslashes', "repeat('\\', 12000000)"],
  ['quotation marks', "repeat('\"', 12000000)"],
  ['apostrophes', "repeat('''', 12000000)"],
  ['slashes', "repeat('/a', 6000000)"],
  ['line ends', 'repeat(chr(10), 12000000)'],
])('a cell of megabytes of %s, where a date is expected, fails with a short reason', async (_what, cell) => {
  const { rows, write } = await folderWarehouse();
  await write('large.parquet', `SELECT ${cell} AS v`);
  const reading = rows('SELECT CAST(v AS DATE) AS day FROM blade.field.large');
  await expect(reading).rejects.toMatchObject({
    name: 'WarehouseError',
    message: expect.stringMatching(/^Conversion Error: .{20,200}$/),
  });
});

test('a limit of temporary disk is named, unless the disk had less space when the engine was opened', () => {
  const limits = { memoryBytes: 1e9, diskBytes: 8e9 };
  const describe = (size: string) =>
    new Error(
      `Out of Memory Error: failed to offload data block of size 256.0 KiB (${size}/${size} used).\nThis limit was set by the 'max_temp_directory_size' setting.`,
    );
  expect(nameLimit(describe('7.4 GiB'), limits)).toMatchObject({
    message: expect.stringContaining('BLADE_WAREHOUSE_DISK_MB'),
  });
  for (const size of ['20.5 MiB', '1.2 GiB', '0 bytes']) {
    const error = describe(size);
    expect(nameLimit(error, limits)).toBe(error);
  }
});
