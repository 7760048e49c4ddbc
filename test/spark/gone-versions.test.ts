import { expect } from 'vitest';
import { onEveryFront } from '../support/on-spark.ts';
import { selectSorties } from '../support/spark/sorties.ts';
import { addSource, storedItems } from '../support/tables.ts';

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

onEveryFront((test) => {
  test.for(MOMENTS)(
    'a sync whose version of the table is gone before %s starts over at the current one',
    { timeout: 300_000 },
    async ([, before, changes, source], { engine, front, reader }) => {
      await engine.run('CREATE DATABASE IF NOT EXISTS blade.field');
      await engine.run('DROP TABLE IF EXISTS blade.field.sortie');
      await engine.run(`CREATE TABLE blade.field.sortie USING DELTA AS ${selectSorties(ROWS, 0)}`);
      await engine.run(`INSERT INTO blade.field.sortie ${selectSorties(1, 0, ROWS)}`);
      await engine.run(`DELETE FROM blade.field.sortie WHERE item_id = 'S-${ROWS}'`);
      let isChanged = false;
      front.before(before, async () => {
        for (const statement of changes) await engine.run(statement);
        isChanged = true;
      });
      const { client } = reader;
      await addSource(reader, source);
      const { id } = await client.startSync({ syncType: 'FULL', options: { partitionRows: ROWS / 2 } });
      expect(await client.waitForEnd(id)).toMatchObject({
        state: 'COMPLETED',
        progress: { totalItems: ROWS, successCount: ROWS, errorCount: 0 },
      });
      expect(isChanged).toBe(true);
      const items = await storedItems(reader);
      expect(new Set(items.map(({ data }) => (data as { mission_id: string }).mission_id))).toEqual(
        new Set(['1']),
      );
      const { rows } = await reader.database.pool.query(
        `select reason from job_event where reason like 'Waiting to try again: Version %is gone:%'`,
      );
      expect(rows).toHaveLength(1);
    },
  );
});
