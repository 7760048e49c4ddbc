import { expect } from 'vitest';
import { ANY_SCHEMA } from '../../src/sql-check/allowed-schemas.ts';
import type { BoundParameter, Execution } from '../support/databricks/execution.ts';
import { startDatabricksServer } from '../support/databricks-server.ts';
import { test } from '../support/on-spark.ts';
import { selectSorties } from '../support/spark/sorties.ts';
import { addSource, storedItems } from '../support/tables.ts';
import { startTestApplication } from '../support/test-application.ts';

const ROWS = 2_000;

const VACUUMED = [
  `UPDATE blade.field.sortie SET mission_id = '1'`,
  'VACUUM blade.field.sortie RETAIN 0 HOURS',
];

const REPLACED = [
  'DROP TABLE blade.field.sortie',
  `CREATE TABLE blade.field.sortie USING DELTA AS ${selectSorties(ROWS, 1)}`,
];

/** The statement before which the version goes, and how. */
const MOMENTS: readonly (readonly [string, RegExp, readonly string[], { readonly cursorColumn?: string }])[] =
  [
    ['the columns are described, as the table is replaced', /DESCRIBE QUERY .*VERSION AS OF/s, REPLACED, {}],
    [
      'the rows are counted, as the table is replaced',
      /COUNT\(\*\) AS total FROM.*VERSION AS OF/s,
      REPLACED,
      {},
    ],
    [
      'the watermark is found, after VACUUM',
      /MAX\(.*VERSION AS OF/s,
      VACUUMED,
      { cursorColumn: 'updated_at' },
    ],
    ['the partitions are measured, after VACUUM', /GROUP BY.*/s, VACUUMED, {}],
    ['the rows are read, after VACUUM', /^SELECT \* .*VERSION AS OF/s, VACUUMED, {}],
  ];

test.for(MOMENTS)(
  'a sync whose version of the table is gone before %s starts over at the current one',
  { timeout: 300_000 },
  async ([, before, changes, source], { engine, open }) => {
    await engine.run('CREATE DATABASE IF NOT EXISTS blade.field');
    await engine.run('DROP TABLE IF EXISTS blade.field.sortie');
    await engine.run(`CREATE TABLE blade.field.sortie USING DELTA AS ${selectSorties(ROWS, 0)}`);
    await engine.run(`INSERT INTO blade.field.sortie ${selectSorties(1, 0, ROWS)}`);
    await engine.run(`DELETE FROM blade.field.sortie WHERE item_id = 'S-${ROWS}'`);
    let change: Promise<void> | null = null;

    function execute(sql: string, parameters: readonly BoundParameter[]): Execution {
      if (!before.test(sql)) return engine.execute(sql, parameters);
      change ??= (async () => {
        for (const statement of changes) await engine.run(statement);
      })();
      const execution = change.then(() => engine.execute(sql, parameters));
      return {
        ready: execution.then(({ ready }) => ready),
        next: async (rows) => (await execution).next(rows),
        cancel: async () => (await execution).cancel(),
      };
    }

    const server = await open(
      startDatabricksServer({ engine: { ...engine, close: async () => {}, execute } }),
    );
    const application = await open(
      startTestApplication(
        { BLADE_WORKER_THREADS: '1' },
        { warehouse: { name: 'databricks', settings: server.configuration, allowedSchemas: ANY_SCHEMA } },
      ),
    );
    const { client } = application;
    await addSource(application, source);
    const { id } = await client.startSync({ syncType: 'FULL', options: { partitionRows: ROWS / 2 } });
    expect(await client.waitForEnd(id)).toMatchObject({
      state: 'COMPLETED',
      progress: { totalItems: ROWS, successCount: ROWS, errorCount: 0 },
    });
    expect(change).not.toBeNull();
    const items = await storedItems(application);
    expect(new Set(items.map(({ data }) => (data as { mission_id: string }).mission_id))).toEqual(
      new Set(['1']),
    );
    const { rows } = await application.database.pool.query(
      `select reason from job_event where reason like 'Waiting to try again: Version %is gone:%'`,
    );
    expect(rows).toHaveLength(1);
  },
);
