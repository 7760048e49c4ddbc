import { expect } from 'vitest';
import { readLog } from '../support/job-events.ts';
import { onEveryFront } from '../support/on-spark.ts';
import { AcceptSchemaChange, SchemaReads, UpdateDataSource } from '../support/operations.ts';
import { selectSorties } from '../support/spark/sorties.ts';
import { addSource } from '../support/tables.ts';
import type { TestApplication } from '../support/test-application.ts';

const ROWS = 50;

/** A struct with more fields than Spark describes; the last has this type. */
const wide = (type: string) =>
  `named_struct(${Array.from({ length: 30 }, (_none, index) => `'f${index}', ${index === 29 ? `CAST(1 AS ${type})` : index}`).join(', ')}) AS wide`;

async function sync({ client }: TestApplication) {
  const { id } = await client.startSync({ syncType: 'INCREMENTAL' });
  const { state } = await client.waitForEnd(id);
  return { state, messages: (await readLog(client, id)).map(({ message }) => message) };
}

const findSource = async ({ client }: TestApplication, id: string) =>
  (await client.send(SchemaReads, { id })).dataSource;

onEveryFront((test) => {
  test('a renamed column of Delta is a renamed one, and a field at the end of a wide struct counts', {
    timeout: 300_000,
  }, async ({ engine, reader }) => {
    await engine.run('CREATE DATABASE IF NOT EXISTS blade.field');
    await engine.run('DROP TABLE IF EXISTS blade.field.sortie');
    await engine.run(
      `CREATE TABLE blade.field.sortie USING DELTA TBLPROPERTIES ('delta.columnMapping.mode' = 'name')
     AS SELECT *, ${wide('INT')}, 1 AS old FROM (${selectSorties(ROWS, 0)})`,
    );
    await engine.run(`ALTER TABLE blade.field.sortie CHANGE COLUMN old COMMENT 'the old one'`);
    const source = await addSource(reader, { cursorColumn: 'updated_at' });
    expect(await sync(reader)).toMatchObject({ state: 'COMPLETED' });
    const first = await findSource(reader, source);
    expect(first?.schema?.map(({ name }) => name)).toEqual([
      ...['item_id', 'mission_id', 'flight_hours', 'updated_at', 'wide', 'old'],
    ]);
    expect(first?.schema?.at(4)?.type).toMatch(/, f28: INT, f29: INT>$/);
    expect(first?.schema?.at(5)).toMatchObject({ comment: 'the old one', isNullable: null });

    for (const change of [
      'RENAME COLUMN flight_hours TO passing',
      'RENAME COLUMN passing TO `hours.flown`',
      'RENAME COLUMN wide.f0 TO first',
      'DROP COLUMN old',
      'ADD COLUMNS (flight_hours STRING)',
    ])
      await engine.run(`ALTER TABLE blade.field.sortie ${change}`);
    const second = await sync(reader);
    expect(second).toMatchObject({ state: 'COMPLETED' });
    expect((await findSource(reader, source))?.schemaChanges?.changes).toMatchObject([
      { kind: 'RENAMED', column: 'flight_hours', newName: 'hours.flown' },
      { kind: 'RETYPED', column: 'wide', newType: expect.stringMatching(/^STRUCT<first: INT, f1: INT/) },
      { kind: 'DROPPED', column: 'old' },
      { kind: 'ADDED', column: 'flight_hours', type: 'STRING' },
    ]);
    expect(second.messages).toContainEqual(
      expect.stringMatching(/^The schema of Sorties has changed: flight_hours renamed to hours\.flown, /),
    );
  });

  test('a renamed cursor column stops its source until that knows the name, and a renamed id column until it is accepted', {
    timeout: 300_000,
  }, async ({ engine, reader }) => {
    await engine.run('CREATE DATABASE IF NOT EXISTS blade.field');
    await engine.run('DROP TABLE IF EXISTS blade.field.sortie');
    await engine.run(
      `CREATE TABLE blade.field.sortie USING DELTA TBLPROPERTIES ('delta.columnMapping.mode' = 'name') AS ${selectSorties(ROWS, 0)}`,
    );
    const source = await addSource(reader, { cursorColumn: 'updated_at' });
    await sync(reader);
    await engine.run('ALTER TABLE blade.field.sortie RENAME COLUMN updated_at TO changed_at');
    expect(await sync(reader)).toMatchObject({ state: 'FAILED' });
    expect((await findSource(reader, source))?.lastSyncMessage).toMatch(
      /the cursor column updated_at is now called changed_at: set cursorColumn of the source to it\.$/,
    );
    await reader.client.send(UpdateDataSource, { input: { id: source, cursorColumn: 'changed_at' } });
    expect(await sync(reader)).toMatchObject({ state: 'COMPLETED' });

    await engine.run('ALTER TABLE blade.field.sortie RENAME COLUMN item_id TO id');
    expect(await sync(reader)).toMatchObject({ state: 'FAILED' });
    expect((await findSource(reader, source))?.lastSyncMessage).toMatch(
      /the column item_id, which identifies the items, is now called id: rename it back/,
    );
    await engine.run('ALTER TABLE blade.field.sortie RENAME COLUMN id TO item_id');
    expect(await sync(reader)).toMatchObject({ state: 'COMPLETED' });
    await engine.run('ALTER TABLE blade.field.sortie RENAME COLUMN item_id TO id');
    expect(await sync(reader)).toMatchObject({ state: 'FAILED' });
    await reader.client.send(AcceptSchemaChange, { input: { id: source } });
    expect(await sync(reader)).toMatchObject({ state: 'COMPLETED' });
  });

  test('a view says which of its columns can be NULL', { timeout: 300_000 }, async ({ engine, reader }) => {
    await engine.run('CREATE DATABASE IF NOT EXISTS blade.field');
    await engine.run('DROP TABLE IF EXISTS blade.field.flown');
    await engine.run(
      `CREATE TABLE blade.field.flown (item_id STRING NOT NULL COMMENT 'the id', flight_hours DOUBLE) USING DELTA`,
    );
    await engine.run(`INSERT INTO blade.field.flown VALUES ('S-1', 1)`);
    await engine.run('CREATE OR REPLACE VIEW blade.field.flights AS SELECT * FROM blade.field.flown');
    const source = await addSource(reader, { tableName: 'flights' });
    expect(await sync(reader)).toMatchObject({ state: 'COMPLETED' });
    expect((await findSource(reader, source))?.schema).toEqual([
      { name: 'item_id', type: 'STRING', comment: 'the id', isNullable: false },
      { name: 'flight_hours', type: 'DOUBLE', comment: null, isNullable: true },
    ]);
  });
});
