import { afterAll, beforeAll, describe, expect, inject } from 'vitest';
import { openDatabricksWarehouse } from '../../src/warehouse/databricks/warehouse.ts';
import type { Warehouse } from '../../src/warehouse/warehouse.ts';
import { type DatabricksServer, startDatabricksServer } from '../support/databricks-server.ts';
import { test } from '../support/on-spark.ts';
import { openSparkEngine } from '../support/spark/connect.ts';
import { askWarehouse, CORPORA, readAnswers } from '../warehouse/dialect/answers.ts';

/** One of so many recorded answers is asked again. */
const EVERY = 10;

describe('the recorded answers are those of Spark', { timeout: 600_000 }, () => {
  let server: DatabricksServer;
  let warehouse: Warehouse;

  beforeAll(async () => {
    server = await startDatabricksServer({ engine: openSparkEngine(inject('spark')) });
    warehouse = openDatabricksWarehouse(server.configuration);
  });

  afterAll(async () => {
    await warehouse.close();
    await server.close();
  });

  test.each(CORPORA)('%s', async (corpus) => {
    const changed: string[] = [];
    for (const [sql, answer] of readAnswers(corpus).filter((_, index) => index % EVERY === 0)) {
      const { rows } = await askWarehouse(warehouse, sql);
      if (JSON.stringify(rows) !== JSON.stringify(answer)) changed.push(sql);
    }
    expect(changed).toEqual([]);
  });
});
