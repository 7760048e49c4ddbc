import type { JsonValue } from '../shared/json.ts';

/** A value of a SQL type, by the type's name in Databricks, and its JSON. */
export interface ValueCase {
  readonly name: string;
  readonly type: string;
  readonly value: JsonValue;
}

/** Values of each type, converted by the table in docs/extending.md. */
export const valueCases: readonly ValueCase[] = [
  valueCase('BOOLEAN', true),
  valueCase('TINYINT', -128),
  valueCase('SMALLINT', 32767),
  valueCase('INT', -2147483648),
  valueCase('BIGINT', 9007199254740991, 'a BIGINT that is a safe integer'),
  valueCase('BIGINT', '9007199254740993', 'a BIGINT that is not'),
  valueCase('BIGINT', '-9223372036854775808', 'the least BIGINT'),
  valueCase('FLOAT', 1.5),
  valueCase('FLOAT', 0.1, 'a FLOAT whose exact value has more digits'),
  valueCase('FLOAT', -3.4028235e38, 'the least FLOAT'),
  valueCase('FLOAT', 16777216, 'a whole FLOAT'),
  valueCase('DOUBLE', 0.1),
  valueCase('DOUBLE', 'NaN', 'NaN'),
  valueCase('DOUBLE', 'Infinity', 'Infinity'),
  valueCase('FLOAT', '-Infinity', '-Infinity'),
  valueCase('DECIMAL(5,2)', '12.50'),
  valueCase('DECIMAL(9,3)', '-0.050', 'a DECIMAL below one'),
  valueCase('DECIMAL(38,10)', '1234567890123456789012345678.9012345678', 'a wide DECIMAL'),
  valueCase('DECIMAL(4,0)', '7', 'a DECIMAL without a fraction'),
  valueCase('STRING', 'é😀 "x" \\'),
  valueCase('STRING', 'a\0b', 'a NUL character'),
  valueCase('STRING', '', 'an empty STRING'),
  valueCase('DATE', '2024-02-29'),
  valueCase('DATE', '0001-01-01', 'an early DATE'),
  valueCase('TIMESTAMP_NTZ', '2024-03-31T08:30:00'),
  valueCase('TIMESTAMP_NTZ', '2024-03-31T08:30:00.000001', 'a TIMESTAMP_NTZ with microseconds'),
  valueCase('TIMESTAMP_NTZ', '2024-03-31T08:30:00.5', 'a TIMESTAMP_NTZ with tenths'),
  valueCase('TIMESTAMP_NTZ', '1969-12-31T23:59:59.999999', 'a TIMESTAMP_NTZ before 1970'),
  valueCase('TIMESTAMP_NTZ', '9999-12-31T23:59:59.999999', 'a distant TIMESTAMP_NTZ'),
  valueCase('TIMESTAMP_NTZ', '0001-01-01T00:00:00.000001', 'an early TIMESTAMP_NTZ'),
  valueCase('TIMESTAMP', '2024-03-31T06:30:00.25Z'),
  valueCase('BINARY', 'AP8='),
  valueCase('ARRAY<BIGINT>', [1, null, 3]),
  valueCase('ARRAY<ARRAY<STRING>>', [['a'], [], null]),
  valueCase('STRUCT<a: INT, `b c`: STRING>', { a: 1, 'b c': null }),
  valueCase('MAP<STRING, INT>', { a: 1 }, 'a MAP with keys of text'),
  valueCase('MAP<INT, STRING>', [{ key: 1, value: 'a' }], 'a MAP with other keys'),
  valueCase(
    'ARRAY<STRUCT<m: MAP<STRING, ARRAY<TIMESTAMP_NTZ>>>>',
    [{ m: { k: ['2024-01-01T00:00:00'] } }],
    'a deep mixture',
  ),
  valueCase('INT', null, 'NULL'),
  valueCase('STRUCT<a: INT>', null, 'a NULL STRUCT'),
];

function valueCase(type: string, value: JsonValue, name = `a value of ${type}`): ValueCase {
  return { name, type, value };
}
