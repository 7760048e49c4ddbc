import { expect, test } from 'vitest';
import { parseJsonValue } from '../../src/warehouse/value.ts';
import { folderWarehouse } from './folder-warehouse.ts';

test('a timestamp without end is carried as its name', async () => {
  const { rows, write } = await folderWarehouse();
  await write('value.parquet', "SELECT 'infinity'::TIMESTAMP AS value");
  expect(await rows('SELECT * FROM blade.field.value')).toEqual([{ value: 'infinity' }]);
});

test.each([
  ['{"a": 1.5, "b": [true, null]}', { a: 1.5, b: [true, null] }],
  [
    '[12345678901234567890, 1e400, 1e3, 0.1234567890123456]',
    ['12345678901234567890', '1e400', 1000, 0.1234567890123456],
  ],
])('JSON %s keeps its numbers', (text, expected) => {
  expect(parseJsonValue(text)).toEqual(expected);
});
