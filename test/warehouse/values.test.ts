import { describe, expect, test } from 'vitest';
import { jsonValue } from '../../src/warehouse/value.ts';
import { folderWarehouse } from './folder-warehouse.ts';

describe('each SQL type is carried to JSON without loss, and described by its Databricks name', () => {
  const cases: [name: string, expression: string, type: string, expected: unknown][] = [
    ['BOOLEAN', 'true', 'BOOLEAN', true],
    ['TINYINT', '(-128)::TINYINT', 'TINYINT', -128],
    ['SMALLINT', '32767::SMALLINT', 'SMALLINT', 32767],
    ['INT', '(-2147483648)::INTEGER', 'INT', -2147483648],
    ['a BIGINT that is a safe integer', '9007199254740991::BIGINT', 'BIGINT', 9007199254740991],
    ['a BIGINT that is not', '9007199254740993::BIGINT', 'BIGINT', '9007199254740993'],
    ['the least BIGINT', '(-9223372036854775808)::BIGINT', 'BIGINT', '-9223372036854775808'],
    ['an unsigned BIGINT', '18446744073709551615::UBIGINT', 'DECIMAL(20,0)', '18446744073709551615'],
    ['FLOAT', '1.5::FLOAT', 'FLOAT', 1.5],
    ['DOUBLE', '0.1::DOUBLE', 'DOUBLE', 0.1],
    ['NaN', "'NaN'::DOUBLE", 'DOUBLE', 'NaN'],
    ['Infinity', "'Infinity'::DOUBLE", 'DOUBLE', 'Infinity'],
    ['-Infinity', "'-Infinity'::FLOAT", 'FLOAT', '-Infinity'],
    ['DECIMAL', '12.5::DECIMAL(5,2)', 'DECIMAL(5,2)', '12.50'],
    ['a DECIMAL below one', '(-0.05)::DECIMAL(9,3)', 'DECIMAL(9,3)', '-0.050'],
    [
      'a wide DECIMAL',
      '1234567890123456789012345678.9012345678::DECIMAL(38,10)',
      'DECIMAL(38,10)',
      '1234567890123456789012345678.9012345678',
    ],
    ['a DECIMAL without a fraction', '7::DECIMAL(4,0)', 'DECIMAL(4,0)', '7'],
    ['STRING', '\'é😀 "x" \\\'', 'STRING', 'é😀 "x" \\'],
    ['a NUL character', "'a' || chr(0) || 'b'", 'STRING', 'a\0b'],
    ['an empty STRING', "''", 'STRING', ''],
    ['DATE', "DATE '2024-02-29'", 'DATE', '2024-02-29'],
    ['an early DATE', "DATE '0001-01-01'", 'DATE', '0001-01-01'],
    ['TIMESTAMP_NTZ', "TIMESTAMP '2024-03-31 08:30:00'", 'TIMESTAMP_NTZ', '2024-03-31T08:30:00'],
    [
      'one with microseconds',
      "TIMESTAMP '2024-03-31 08:30:00.000001'",
      'TIMESTAMP_NTZ',
      '2024-03-31T08:30:00.000001',
    ],
    ['one with tenths', "TIMESTAMP '2024-03-31 08:30:00.5'", 'TIMESTAMP_NTZ', '2024-03-31T08:30:00.5'],
    [
      'one before 1970',
      "TIMESTAMP '1969-12-31 23:59:59.999999'",
      'TIMESTAMP_NTZ',
      '1969-12-31T23:59:59.999999',
    ],
    [
      'a distant one',
      "TIMESTAMP '9999-12-31 23:59:59.999999'",
      'TIMESTAMP_NTZ',
      '9999-12-31T23:59:59.999999',
    ],
    ['an early one', "TIMESTAMP '0001-01-01 00:00:00.000001'", 'TIMESTAMP_NTZ', '0001-01-01T00:00:00.000001'],
    ['one without end', "'infinity'::TIMESTAMP", 'TIMESTAMP_NTZ', 'infinity'],
    ['TIMESTAMP', "TIMESTAMPTZ '2024-03-31 08:30:00.25+02'", 'TIMESTAMP', '2024-03-31T06:30:00.25Z'],
    ['INTERVAL', "INTERVAL '1' MONTH + INTERVAL '2' DAY", 'INTERVAL', '1 month 2 days'],
    ['BINARY', "'\\x00\\xFF'::BLOB", 'BINARY', 'AP8='],
    [
      'UUID',
      "'550e8400-e29b-41d4-a716-446655440000'::UUID",
      'STRING',
      '550e8400-e29b-41d4-a716-446655440000',
    ],
    ['TIME', "TIME '08:30:00.25'", 'STRING', '08:30:00.25'],
    ['ARRAY', '[1, NULL, 3]::BIGINT[]', 'ARRAY<BIGINT>', [1, null, 3]],
    ['ARRAY of ARRAY', "[['a'], [], NULL]", 'ARRAY<ARRAY<STRING>>', [['a'], [], null]],
    [
      'STRUCT',
      "{'a': 1::INTEGER, 'b c': NULL::VARCHAR}",
      'STRUCT<a: INT, `b c`: STRING>',
      { a: 1, 'b c': null },
    ],
    ['MAP with keys of text', "MAP {'a': 1::INTEGER}", 'MAP<STRING, INT>', { a: 1 }],
    ['MAP with other keys', "MAP {1::INTEGER: 'a'}", 'MAP<INT, STRING>', [{ key: 1, value: 'a' }]],
    [
      'a deep mixture',
      "[{'m': MAP {'k': [TIMESTAMP '2024-01-01 00:00:00']}}]",
      'ARRAY<STRUCT<m: MAP<STRING, ARRAY<TIMESTAMP_NTZ>>>>',
      [{ m: { k: ['2024-01-01T00:00:00'] } }],
    ],
    ['NULL', 'NULL::INTEGER', 'INT', null],
    ['a NULL STRUCT', 'NULL::STRUCT(a INTEGER)', 'STRUCT<a: INT>', null],
  ];

  test.each(cases)('%s', async (_name, expression, type, expected) => {
    const { warehouse, write, rows } = await folderWarehouse();
    await write('value.parquet', `SELECT ${expression} AS value`);
    const table = { catalog: 'blade', schema: 'field', table: 'value' };
    const signal = new AbortController().signal;
    expect(await rows('SELECT * FROM blade.field.value')).toEqual([{ value: expected }]);
    expect(await warehouse.describeTable(table, signal)).toEqual([{ name: 'value', type }]);
  });
});

test('keys that mean something to JavaScript are keys like any other', async () => {
  const { rows } = await folderWarehouse();
  const [row] = await rows("SELECT 1 AS `__proto__`, 2 AS `constructor`, map('__proto__', 3) AS `map`");
  expect(JSON.stringify(row)).toBe('{"__proto__":1,"constructor":2,"map":{"__proto__":3}}');
  expect(Object.getPrototypeOf(row)).toBe(Object.prototype);
});

test('columns of one name are kept apart', async () => {
  const { rows } = await folderWarehouse();
  expect(await rows('SELECT 1 AS id, 2 AS id')).toEqual([{ id: 1, 'id:1': 2 }]);
});

test.each([
  ['{"a": 1.5, "b": [true, null]}', { a: 1.5, b: [true, null] }],
  [
    '[12345678901234567890, 1e400, 1e3, 0.1234567890123456]',
    ['12345678901234567890', '1e400', 1000, 0.1234567890123456],
  ],
])('JSON %s keeps its numbers', (text, expected) => {
  expect(jsonValue(text)).toEqual(expected);
});
