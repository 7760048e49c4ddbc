import { expect, expectTypeOf, test } from 'vitest';
import { ANY_SCHEMA } from '../../src/sql-check/allowed-schemas.ts';
import {
  allowTable,
  bindParameter,
  compose,
  composeName,
  composeStatement,
  includeUnreadable,
  recognizeStatement,
} from '../../src/sql-check/checked-statement.ts';
import { parseFilter, parseStatement } from '../../src/sql-check/parse-statement.ts';
import type { SelectStatement, Warehouse } from '../../src/warehouse/warehouse.ts';

const parameters = { low: 1, unused: 2 };

test('a checked statement is written anew, with exactly the parameters that it names', () => {
  const sql = 'select * from blade.field.sortie where flight_hours > :low';
  expect(parseStatement({ sql, parameters }, ANY_SCHEMA)).toEqual({
    sql: 'SELECT * FROM `blade`.`field`.`sortie` WHERE `flight_hours` > :low',
    parameters: { low: 1 },
    tables: [{ catalog: 'blade', schema: 'field', table: 'sortie' }],
    isRepeatable: true,
    withUnreadable: false,
    parts: null,
  });
});

test.each([
  ['what is no SELECT', 'DROP TABLE blade.field.sortie', 'Only a SELECT can run here'],
  ['two statements', 'SELECT 1; SELECT 2', 'Only one statement can run'],
  ['a parameter without a value', 'SELECT :high', 'The parameter :high has no value'],
])('%s is refused', (_name, sql, message) => {
  expect(() => parseStatement({ sql, parameters }, ANY_SCHEMA)).toThrow(message);
});

test('a table whose name looks like a file is refused', () => {
  const table = { catalog: 'blade', schema: 'field', table: 'sortie.csv' };
  expect(() => allowTable(table, ANY_SCHEMA)).toThrow('sortie.csv looks like a file');
});

test('a composed statement has the tables and parameters of its parts, and quotes what is a name', () => {
  const table = allowTable({ catalog: 'blade', schema: 'field', table: 'a`; DROP TABLE b' }, ANY_SCHEMA);
  const after = compose`${composeName('x` OR 1')} > ${bindParameter('low', "'; DROP TABLE b")}`;
  const statement = composeStatement`SELECT * FROM ${table} WHERE ${parseFilter('a = 1')} AND ${after} LIMIT ${10}`;
  expect(statement).toEqual({
    sql: 'SELECT * FROM `blade`.`field`.`a``; DROP TABLE b` WHERE (`a` = 1) AND `x`` OR 1` > :low LIMIT 10',
    parameters: { low: "'; DROP TABLE b" },
    tables: [table],
    isRepeatable: true,
    withUnreadable: false,
    parts: null,
  });
  expect(parseStatement(statement, ANY_SCHEMA)).toEqual(statement);
  expect(composeStatement`SELECT * FROM (${statement}) WHERE ${parseFilter('rand() < a')}`).toMatchObject({
    tables: [table],
    isRepeatable: false,
  });
});

test.each(['sortie', 'a`; DROP TABLE b', 'with\nlines', 'sor.tie'])(
  'a statement that selects all of a table is recognized as the parser reads it: %j',
  (name) => {
    const table = allowTable({ catalog: 'blade', schema: 'field', table: name }, ANY_SCHEMA);
    const statement = composeStatement`SELECT * FROM ${table}`;
    expect(recognizeStatement(statement, ANY_SCHEMA)).toEqual(statement);
    const unreadable = includeUnreadable(statement);
    expect(recognizeStatement(unreadable, ANY_SCHEMA)).toEqual(unreadable);
  },
);

test.each([
  'SELECT * FROM `blade`.`field`.`sortie` WHERE TRUE',
  'SELECT * FROM `blade`.`field`.`sortie`; DROP TABLE b',
  'SELECT * FROM `blade`.`field`.`sortie`, `blade`.`field`.`part`',
  'SELECT * FROM `blade`.`field`.`sortie` `s`',
  'SELECT * FROM `blade`.`field`.`sortie``',
  'SELECT * FROM `blade`.`sortie`',
  'SELECT * FROM `blade`.`field`.``',
  'SELECT * FROM blade.field.sortie',
])('no other statement is recognized without the parser: %s', (sql) => {
  expect(recognizeStatement({ sql, parameters: {} }, ANY_SCHEMA)).toBeNull();
});

test('a recognized table must be one that is allowed', () => {
  const sql = 'SELECT * FROM `blade`.`field`.`sortie.csv`';
  expect(() => recognizeStatement({ sql, parameters: {} }, ANY_SCHEMA)).toThrow('looks like a file');
  const others = [{ catalog: 'blade', schema: 'open' }];
  expect(() =>
    recognizeStatement({ sql: 'SELECT * FROM `blade`.`field`.`sortie`', parameters: {} }, others),
  ).toThrow('cannot be read here');
});

test('what was not checked does not compile', () => {
  type Read = Parameters<Warehouse['readRows']>[0];
  type Described = Parameters<Warehouse['describeTable']>[0];
  const statement = parseStatement({ sql: 'SELECT 1', parameters: {} }, ANY_SCHEMA);
  const spread = { ...statement, sql: 'DROP TABLE blade.field.sortie' };
  const table = { ...allowTable({ catalog: 'a', schema: 'b', table: 'c' }, ANY_SCHEMA), schema: 'd' };
  expectTypeOf<SelectStatement>().not.toExtend<Read>();
  expectTypeOf(statement).toExtend<Read>();
  expectTypeOf(compose`1`).not.toExtend<Read>();
  expectTypeOf(table).not.toExtend<Described>();
  // @ts-expect-error the parts of a checked statement are not checked in another one
  const forged: Read = spread;
  // @ts-expect-error text is no part of a statement
  expect(() => compose`SELECT ${'1'}`).toThrow();
  expect(forged).toBe(spread);
});
