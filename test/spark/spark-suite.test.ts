import { afterAll, beforeAll, expect, inject } from 'vitest';
import { openDatabricksWarehouse } from '../../src/warehouse/databricks/warehouse.ts';
import type { Warehouse } from '../../src/warehouse/warehouse.ts';
import { type DatabricksServer, startDatabricksServer } from '../support/databricks-server.ts';
import { test } from '../support/on-spark.ts';
import { openSparkEngine } from '../support/spark/connect.ts';
import { fetchSparkSuite } from '../support/spark/suite.ts';
import { askWarehouse, isRepeatable } from '../warehouse/dialect/answers.ts';
import { compare } from '../warehouse/dialect/compare.ts';
import { readSparkSuite } from '../warehouse/dialect/spark-suite.ts';
import { folderWarehouse } from '../warehouse/folder-warehouse.ts';

/** One of so many statements is asked; 1 asks all 9,648 in about half an hour. */
const EVERY = Number(process.env.SPARK_SUITE_EVERY ?? 16);

/** Statements whose value Spark does not promise. */
const UNDECIDED = [
  // The most frequent of values that are equally frequent.
  /\bmode\s*\(/i,
  // The order of rows that are equal in what they are ordered by.
  /SELECT b FROM testData GROUP BY a, b ORDER BY a$/,
  // Digits that depend on how a sum is built up.
  /var_pop\(CAST\(x AS DOUBLE\)\)\s+FROM \(VALUES \(100000003\)/,
];

/** What DuckDB cannot do, and says so at a place where nothing of ours knows it. */
const LACKING =
  /bind column reference|Unsupported join type|Non-inner join on correlated|window expression is not supported|aliases cannot be used as part/;

let server: DatabricksServer;
let spark: Warehouse;

beforeAll(async () => {
  server = await startDatabricksServer({ engine: openSparkEngine(inject('spark')) });
  spark = openDatabricksWarehouse(server.configuration);
});

afterAll(async () => {
  await spark.close();
  await server.close();
});

test("the folder gives the values of Spark's own SQL tests, or refuses by name", {
  timeout: 2_400_000,
}, async () => {
  const { warehouse: folder } = await folderWarehouse();
  const statements = readSparkSuite(await fetchSparkSuite())
    .filter(isRepeatable)
    .filter((sql) => !UNDECIDED.some((pattern) => pattern.test(sql)))
    .filter((_sql, index) => index % EVERY === 0)
    .values();
  const different: string[] = [];
  const failing: string[] = [];
  let same = 0;
  const work = async () => {
    for (const sql of statements) {
      const { rows } = await askWarehouse(spark, sql);
      const { outcome, error } = await compare(folder, [sql, rows]);
      if (outcome === 'same') same += 1;
      if (outcome === 'different') different.push(sql);
      if (outcome === 'fails' && !LACKING.test(error)) failing.push(`${sql}\n${error}`);
    }
  };
  await Promise.all([work(), work(), work()]);

  expect(different).toEqual([]);
  expect(failing).toEqual([]);
  // 4,483 of all 9,648.
  expect(same).toBeGreaterThan(4_400 / EVERY - 60);
});
