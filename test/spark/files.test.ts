import { hash } from 'node:crypto';
import { expect } from 'vitest';
import { test } from '../support/on-spark.ts';
import { folderWarehouse } from '../warehouse/folder-warehouse.ts';

/** Rows with what files change most easily. */
const ROWS = `SELECT * FROM VALUES
  ('1.10', 'a, "b"', TIMESTAMP '2024-03-31 01:30:00.123456Z', DATE '2024-02-29', 1.50BD, 'eu'),
  ('1.1', NULL, TIMESTAMP '1899-12-31 23:59:59Z', NULL, -0.05BD, 'us'),
  ('007', 'ü 😀', NULL, DATE '1969-12-31', NULL, NULL)
  AS t(item_id, name, flown_at, day, hours, region)`;

const TYPED = [
  { item_id: '007', name: 'ü 😀', flown_at: null, day: '1969-12-31', hours: null, region: null },
  { item_id: '1.1', name: null, flown_at: '1899-12-31T23:59:59Z', day: null, hours: '-0.05', region: 'us' },
  {
    item_id: '1.10',
    name: 'a, "b"',
    flown_at: '2024-03-31T01:30:00.123456Z',
    day: '2024-02-29',
    hours: '1.50',
    region: 'eu',
  },
];

test.for([
  ['snappy', 'INT96'],
  ['zstd', 'TIMESTAMP_MICROS'],
  ['gzip', 'TIMESTAMP_MILLIS'],
])(
  'Parquet that Spark has written with %s and %s has the values of Spark',
  async ([compression, timestamps], { engine }) => {
    const { rows, path } = await folderWarehouse();
    await engine.run(`SET spark.sql.parquet.outputTimestampType = ${timestamps}`);
    await engine.run(
      `INSERT OVERWRITE DIRECTORY '${path('sortie')}' USING parquet OPTIONS (compression '${compression}')
       SELECT /*+ REPARTITION(3) */ * FROM (${ROWS})`,
    );
    await engine.run('RESET spark.sql.parquet.outputTimestampType');
    const read = await rows('SELECT * FROM blade.field.sortie ORDER BY item_id');
    const expected =
      timestamps === 'TIMESTAMP_MILLIS'
        ? JSON.stringify(TYPED).replace('123456', '123')
        : JSON.stringify(TYPED);
    expect(read).toEqual(JSON.parse(expected));
    expect(
      await rows(`SELECT item_id FROM blade.field.sortie WHERE flown_at = TIMESTAMP '1899-12-31 23:59:59Z'`),
    ).toEqual([{ item_id: '1.1' }]);
  },
);

test('INT96 in arrays and structs that Spark has written are instants, too', async ({ engine }) => {
  const { rows, path } = await folderWarehouse();
  await engine.run(
    `INSERT OVERWRITE DIRECTORY '${path('sortie')}' USING parquet
     SELECT 'a' AS item_id, array(TIMESTAMP '2024-03-31 01:30:00Z') AS legs,
       named_struct('at', TIMESTAMP '2024-03-31 01:30:00Z', 'n', 1) AS last, TIMESTAMP_NTZ '2024-03-31 01:30:00' AS local`,
  );
  expect(await rows('SELECT * FROM blade.field.sortie')).toEqual([
    {
      item_id: 'a',
      legs: ['2024-03-31T01:30:00Z'],
      last: { at: '2024-03-31T01:30:00Z', n: 1 },
      local: '2024-03-31T01:30:00',
    },
  ]);
});

test.for(['none', 'gzip'])(
  'JSON and CSV that Spark has written with compression %s have its texts',
  async (compression, { engine }) => {
    const { rows, path } = await folderWarehouse();
    for (const [table, format] of [
      ['lines', 'json'],
      ['cells', 'csv'],
    ])
      await engine.run(
        `INSERT OVERWRITE DIRECTORY '${path(table ?? '')}' USING ${format}
         OPTIONS (compression '${compression}', header 'true', escape '"')
         SELECT /*+ REPARTITION(2) */ item_id, name, day FROM (${ROWS})`,
      );
    const texts = TYPED.map(({ item_id, name, day }) => ({ item_id, name, day }));
    expect(await rows('SELECT item_id, name, day FROM blade.field.lines ORDER BY item_id')).toEqual(texts);
    // A column whose cells are all numbers is ordered as numbers.
    expect(await rows('SELECT item_id, name, day FROM blade.field.cells ORDER BY md5(item_id)')).toEqual(
      texts.toSorted((one, other) => (hash('md5', one.item_id) < hash('md5', other.item_id) ? -1 : 1)),
    );
  },
);

test('partitions that Spark has written have its values, whatever characters they hold', async ({
  engine,
}) => {
  const { rows, path } = await folderWarehouse();
  const values = `SELECT * FROM VALUES ('a', 1, DATE '2024-01-02', 'x=y/z: 1%'), ('b', 2, NULL, 'ü')
    AS t(item_id, leg, day, name)`;
  await engine.run('DROP TABLE IF EXISTS spark_catalog.default.written');
  await engine.run(
    `CREATE TABLE spark_catalog.default.written USING parquet PARTITIONED BY (leg, day, name)
     LOCATION '${path('sortie')}' AS ${values}`,
  );
  expect(await rows('SELECT * FROM blade.field.sortie ORDER BY item_id')).toEqual([
    { item_id: 'a', leg: 1, day: '2024-01-02', name: 'x=y/z: 1%' },
    { item_id: 'b', leg: 2, day: null, name: 'ü' },
  ]);
  await engine.run('DROP TABLE spark_catalog.default.written');
});

test('a Delta table of Spark is refused, because its files hold deleted rows', async ({ engine }) => {
  const { rows, path } = await folderWarehouse();
  await engine.run(`CREATE TABLE delta.\`${path('sortie')}\` USING delta AS ${ROWS}`);
  await expect(rows('SELECT * FROM blade.field.sortie')).rejects.toThrow(/it is a Delta table/);
});
