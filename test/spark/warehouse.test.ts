import { afterAll, beforeAll, describe, inject, onTestFinished } from 'vitest';
import { warehouseTests } from '../../src/testing/warehouse-tests.ts';
import { openDatabricksWarehouse } from '../../src/warehouse/databricks/warehouse.ts';
import { type DatabricksServer, startDatabricksServer } from '../support/databricks-server.ts';
import { test } from '../support/on-spark.ts';
import { openSparkEngine, type SparkEngine } from '../support/spark/connect.ts';
import { writeSparkTable } from '../support/spark/write-table.ts';
import { temporaryFolder } from '../warehouse/folder-warehouse.ts';

describe('Spark behind the service of Databricks keeps what every warehouse promises', () => {
  let engine: SparkEngine;
  let server: DatabricksServer;

  beforeAll(async () => {
    engine = openSparkEngine(inject('spark'));
    await engine.run('CREATE DATABASE IF NOT EXISTS blade.field');
    server = await startDatabricksServer({ engine });
  });

  afterAll(() => server.close());

  const tests = warehouseTests(async () => {
    const warehouse = openDatabricksWarehouse(server.configuration);
    onTestFinished(() => warehouse.close());
    const folder = await temporaryFolder();
    return { warehouse, writeTable: (table) => writeSparkTable(engine, folder, table) };
  });
  for (const { name, run } of tests) test(name, run);
});
