import { describe, expect, test } from 'vitest';
import { type ColumnKind, columnSchemas, isAbsent } from '../../src/data-types/column-kind.ts';
import { defineDataType } from '../../src/data-types/data-type.ts';

interface Expectation {
  readonly accepted: readonly unknown[];
  readonly refused: readonly unknown[];
}

const expectations: Record<ColumnKind, Expectation> = {
  text: {
    accepted: ['F-16C', 42, -1.5, true, '\u0000'],
    refused: [{}, [], ['a'], Number.NaN, Number.POSITIVE_INFINITY],
  },
  integer: {
    accepted: [0, -7, 2 ** 60, 1e300, '12', ' 12 ', '+5', '-5', '12.00', '99999999999999999999999'],
    refused: [1.5, '1.5', 'twelve', '1e3', '0x10', true, [], {}, Number.NaN, '12 13', '.'],
  },
  number: {
    accepted: [0, -1.5, 1e308, '1.5', '.5', '5.', '15e-1', '-2E+3', ' 7 '],
    refused: [Number.NaN, Number.POSITIVE_INFINITY, 'NaN', 'Infinity', '1,5', '.', 'e3', false, [1], {}],
  },
  date: {
    accepted: [
      '2024-02-29',
      '0001-01-01',
      '9999-12-31',
      '2024-03-31T00:00:00',
      '2024-03-31 00:00:00.000000',
      '2024-03-31T00:00:00.000Z',
    ],
    refused: [
      '2023-02-29',
      '2024-04-31',
      '1900-02-29',
      '0000-01-01',
      '2024-13-01',
      '2024-00-10',
      '2024-3-1',
      '20240331',
      '2024-03-31T08:30:00',
      '10000-01-01',
      20240331,
      true,
      {},
    ],
  },
  timestamp: {
    accepted: [
      '2024-03-31',
      '2024-03-31T08:30',
      '2024-03-31T08:30:00',
      '2024-03-31T08:30:00Z',
      '2024-03-31T08:30:00.123456789+02:00',
      '2024-03-31 08:30:00',
      '2024-03-31 08:30:00.123456',
      '2024-03-31 08:30:00 +0200',
      '2024-03-31T08:30:00-05',
      '2000-02-29 23:59:59',
    ],
    refused: [
      '2024-02-30T08:30:00',
      '2024-03-31T24:00:00',
      '2024-03-31T08:60:00',
      '2024-03-31T08:30:00+16:00',
      '2024-03-31T',
      '2024-03-31Z',
      '31.03.2024 08:30',
      'tomorrow',
      1711870200000,
      {},
      [],
    ],
  },
};

describe.each(Object.entries(expectations))('a column of kind %s', (name, { accepted, refused }) => {
  const kind = name as ColumnKind;
  const schema = columnSchemas[kind];
  const { rowSchema } = defineDataType({
    name: 'one-column',
    description: 'A column.',
    defaultMarking: 'U',
    identifyingColumns: ['column'],
    columns: { column: kind },
  });

  test.each(accepted)('accepts %j', (value) => {
    expect(schema.safeParse(value).success).toBe(true);
  });

  test.each(refused)('refuses %j', (value) => {
    expect(schema.safeParse(value).success).toBe(false);
  });

  test.each([undefined, null, '', ' \t'])('may hold nothing: %j', (value) => {
    expect(isAbsent(value)).toBe(true);
    expect(schema.safeParse(value).success).toBe(true);
    expect(rowSchema.safeParse({ column: value }).success).toBe(true);
    expect(rowSchema.safeParse({}).success).toBe(true);
  });
});
