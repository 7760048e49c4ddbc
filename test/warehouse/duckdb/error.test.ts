import { expect, test } from 'vitest';
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
