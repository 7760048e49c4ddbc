import { describe, expect, test } from 'vitest';
import { ANY_SCHEMA, findSchemaProblem, parseSchemaPatterns } from '../../src/sql-check/allowed-schemas.ts';
import { folderWarehouse } from '../warehouse/folder-warehouse.ts';
import { never, statement } from '../warehouse/reading.ts';

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

describe('a warehouse reads of those schemas alone', () => {
  const limits = { allowedSchemas: [{ catalog: 'blade', schema: 'open' }] };

  test.each([
    ['in a statement', 'SELECT * FROM blade.field.sortie'],
    ['in a sub-query', 'SELECT 1 WHERE EXISTS (SELECT 1 FROM blade.field.sortie)'],
    ['in a WITH', 'WITH x AS (SELECT * FROM `BLADE`.field.sortie) SELECT * FROM x'],
  ])('%s', async (_where, sql) => {
    const { rows, warehouse, write } = await folderWarehouse(limits);
    await write('sortie.parquet', 'SELECT 1 AS id');
    const refusal = { code: 'STATEMENT_FAILED', message: expect.stringMatching(/cannot be read here/) };
    await expect(rows(sql)).rejects.toMatchObject(refusal);
    await expect(warehouse.countRows(statement(sql), never)).rejects.toMatchObject(refusal);
  });

  test('when it describes a table', async () => {
    const { warehouse, write } = await folderWarehouse(limits);
    await write('sortie.parquet', 'SELECT 1 AS id');
    await expect(warehouse.describeTable(table('blade.field.sortie'), never)).rejects.toMatchObject({
      message: expect.stringMatching(/cannot be read here/),
    });
  });
});
