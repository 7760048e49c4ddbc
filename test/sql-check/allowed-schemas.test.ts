import { describe, expect, test } from 'vitest';
import { ANY_SCHEMA, findSchemaProblem, parseSchemaPatterns } from '../../src/sql-check/allowed-schemas.ts';
import { allowTable } from '../../src/sql-check/checked-statement.ts';
import { parseStatement } from '../../src/sql-check/parse-statement.ts';

const table = (name: string) => {
  const [catalog = '', schema = '', table = ''] = name.split('.');
  return { catalog, schema, table };
};

describe('a list of schemas', () => {
  test('names catalogs and schemas, with a star for any', () => {
    expect(parseSchemaPatterns('blade.field, archive.*')).toEqual([
      { catalog: 'blade', schema: 'field' },
      { catalog: 'archive', schema: '*' },
    ]);
  });

  test.each(['', 'blade', 'blade.', '.field', 'a.b.c', 'a.b,'])('cannot be %j', (text) => {
    expect(parseSchemaPatterns(text)).toBeNull();
  });

  const allowed = parseSchemaPatterns('blade.field,archive.*') ?? [];

  test.each(['blade.field.sortie', 'BLADE.Field.x', 'archive.y2020.x'])('lets %s be read', (name) => {
    expect(findSchemaProblem(table(name), allowed)).toBeNull();
  });

  test.each(['blade.secret.x', 'other.field.x', 'blade.fields.x', '*.*.x'])('keeps %s out', (name) => {
    expect(findSchemaProblem(table(name), allowed)).toBe(
      `${name} cannot be read here: use a table of blade.field, archive.*.`,
    );
  });

  test('is compared by ASCII alone: the sign of kelvin is no k', () => {
    expect(findSchemaProblem(table('a.ban\u212a.x'), [{ catalog: 'a', schema: 'bank' }])).not.toBeNull();
  });

  test.each(['system.access.audit', 'SYSTEM.x.y', 'blade.information_schema.tables'])(
    'of everything does not hold %s',
    (name) => expect(findSchemaProblem(table(name), ANY_SCHEMA)).toMatch(/describes the warehouse itself/),
  );
});

describe('only tables of those schemas are read', () => {
  const allowed = [{ catalog: 'blade', schema: 'open' }];
  const refusal = expect.objectContaining({
    code: 'STATEMENT_FAILED',
    message: expect.stringMatching(/cannot be read here/),
  });

  test.each([
    ['in a statement', 'SELECT * FROM blade.field.sortie'],
    ['in a sub-query', 'SELECT 1 WHERE EXISTS (SELECT 1 FROM blade.field.sortie)'],
    ['in a WITH', 'WITH x AS (SELECT * FROM `BLADE`.field.sortie) SELECT * FROM x'],
  ])('%s', (_where, sql) => {
    expect(() => parseStatement({ sql, parameters: {} }, allowed)).toThrow(refusal);
  });

  test('as sources', () => {
    expect(() => allowTable(table('blade.field.sortie'), allowed)).toThrow(refusal);
    expect(allowTable(table('blade.open.sortie'), allowed)).toEqual(table('blade.open.sortie'));
  });
});
