import { expect } from 'vitest';
import { quoteTable } from '../../../src/sql-check/quoted-name.ts';
import { pinVersions } from '../../../src/warehouse/spark-sql/pin-versions.ts';
import { formatVersions, parseVersions } from '../../../src/warehouse/spark-sql/table-version.ts';
import { test } from '../../support/without-database.ts';

const versions = ['sortie', 'part'].map((table, index) => ({
  ...{ table: quoteTable({ catalog: 'blade', schema: 'field', table }), id: `id-${table}` },
  ...{ version: 3 + index, committedAt: '2026-01-01T00:00:00Z' },
}));

test.for<readonly [string, string, string]>([
  ['a table', 'SELECT * FROM blade.field.sortie', 'SELECT * FROM blade.field.sortie VERSION AS OF 3'],
  [
    'quoted names, and not the same text in a string',
    "SELECT * FROM `blade`.`field`.`sortie` AS s WHERE s.a = '`blade`.`field`.`sortie`'",
    "SELECT * FROM `blade`.`field`.`sortie` VERSION AS OF 3 AS s WHERE s.a = '`blade`.`field`.`sortie`'",
  ],
  [
    'each table of a join and of a sub-query',
    'SELECT 1 FROM blade.field.part AS p JOIN (SELECT * FROM blade.field.sortie) AS s ON TRUE',
    'SELECT 1 FROM blade.field.part VERSION AS OF 4 AS p JOIN (SELECT * FROM blade.field.sortie VERSION AS OF 3) AS s ON TRUE',
  ],
  [
    'no other table, and none that has a version',
    'SELECT 1 FROM blade.field.other CROSS JOIN blade.field.sortie VERSION AS OF 1',
    'SELECT 1 FROM blade.field.other CROSS JOIN blade.field.sortie VERSION AS OF 1',
  ],
])('a statement reads at its version %s', ([, sql, pinned]) => {
  expect(pinVersions(sql, versions)).toBe(pinned);
});

test('versions are equal as text in whatever order the tables were found', () => {
  expect(formatVersions(versions.toReversed())).toBe(formatVersions(versions));
  expect(parseVersions(formatVersions(versions))).toHaveLength(2);
});
