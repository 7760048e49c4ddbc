import { expect } from 'vitest';
import { onEveryFront } from '../support/on-spark.ts';
import { addSource, storedItems } from '../support/tables.ts';
import { batchesOf, statement } from '../warehouse/reading.ts';

/** Intervals of each kind, whose text is the one that Spark's own CAST gives, apart from the name of the unit. */
const INTERVALS: readonly (readonly [string, unknown])[] = [
  [`timestamp'2026-01-02 03:04:05.5' - timestamp'2026-01-01'`, `INTERVAL '1 03:04:05.5' DAY TO SECOND`],
  [`date'2025-01-01' - date'2026-01-02'`, `INTERVAL '-366 00:00:00' DAY TO SECOND`],
  [`INTERVAL '5' HOUR`, `INTERVAL '0 05:00:00' DAY TO SECOND`],
  [
    `INTERVAL '106751991 04:00:54.775807' DAY TO SECOND`,
    `INTERVAL '106751991 04:00:54.775807' DAY TO SECOND`,
  ],
  [`INTERVAL '1-2' YEAR TO MONTH`, `INTERVAL '1-2' YEAR TO MONTH`],
  [`INTERVAL '-14' MONTH`, `INTERVAL '-1-2' YEAR TO MONTH`],
  [`make_interval(1, 2, 3, 4, 5, 6, 7.5)`, '1 years 2 months 25 days 5 hours 6 minutes 7.5 seconds'],
  [`make_interval(0, -2, 0, 0, -5, 0, -7.25)`, '-2 months -5 hours -7.25 seconds'],
  ['make_interval()', '0 seconds'],
  [`array(INTERVAL '1 02:03:04' DAY TO SECOND, NULL)`, [`INTERVAL '1 02:03:04' DAY TO SECOND`, null]],
  [
    `named_struct('at', timestamp'2026-01-01', 'left', map('k', array(INTERVAL '5' DAY)), 'c', make_interval(0, 1))`,
    { at: '2026-01-01T00:00:00Z', left: { k: [`INTERVAL '5 00:00:00' DAY TO SECOND`] }, c: '1 months' },
  ],
];

onEveryFront((test) => {
  test('intervals of every kind are text that keeps all of their parts, also in lists, maps and structs', {
    timeout: 300_000,
  }, async ({ front, open }) => {
    const warehouse = await open(front.openWarehouse());
    const columns = INTERVALS.map(([expression], index) => `${expression} AS c${index}`).join(', ');
    const [batch] = await batchesOf(warehouse, statement(`SELECT ${columns}`), 10);
    expect(Object.values(batch?.rows[0] ?? {})).toEqual(INTERVALS.map(([, text]) => text));
  });

  test('a row whose id is not UTF-8 is refused, and says why, while the others are read', {
    timeout: 300_000,
  }, async ({ engine, reader }) => {
    await engine.run('CREATE DATABASE IF NOT EXISTS blade.field');
    await engine.run(`CREATE OR REPLACE TABLE blade.field.sortie USING DELTA AS
    SELECT CAST(id AS STRING) AS item_id, 'm' AS mission_id, CAST(1.5 AS DOUBLE) AS flight_hours FROM
      VALUES (X'C3A9'), (X'FF41'), (X'FE41'), (X'C3'), (X'A9') AS t(id)`);
    await addSource(reader);
    const { id } = await reader.client.startSync({ syncType: 'FULL' });
    expect(await reader.client.waitForEnd(id)).toMatchObject({
      state: 'COMPLETED',
      progress: { successCount: 1, errorCount: 4, duplicateCount: 0 },
      recentErrors: Array(4).fill(
        'Column item_id holds bytes that are not UTF-8, which cannot be stored as text.',
      ),
    });
    expect((await storedItems(reader)).map(({ itemId }) => itemId)).toEqual(['é']);
  });
});
