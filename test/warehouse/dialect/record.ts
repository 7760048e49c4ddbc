// Records what Spark answers: `node test/warehouse/dialect/record.ts` fetches and starts Spark, and takes some minutes.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDatabricksWarehouse } from '../../../src/warehouse/databricks/warehouse.ts';
import type { CheckedStatement } from '../../../src/warehouse/warehouse.ts';
import { startDatabricksServer } from '../../support/databricks-server.ts';
import { openSparkEngine, type SparkServer } from '../../support/spark/connect.ts';
import startSpark from '../../support/spark/start.ts';
import { askWarehouse, type Corpus, isRepeatable, type Recorded, writeAnswers } from './answers.ts';
import { changeArguments } from './changed-arguments.ts';
import { readDocumentedExamples } from './documented-examples.ts';

/** How many statements Spark answers at once. */
const CONCURRENCY = 3;

const given = process.env.BLADE_TEST_SPARK;
let spark: SparkServer | null = given === undefined ? null : JSON.parse(given);
const stop =
  spark === null
    ? await startSpark({ provide: (_key: string, server: SparkServer) => (spark = server) } as never)
    : async () => {};
if (spark === null) throw new Error('Spark did not start');

const server = await startDatabricksServer({ engine: openSparkEngine(spark) });
const warehouse = openDatabricksWarehouse(server.configuration);

async function record(corpus: Corpus, statements: readonly string[]): Promise<void> {
  const answers: Recorded[] = [];
  const waiting = [...new Set(statements)].filter(isRepeatable).entries();
  const work = async () => {
    for (const [index, sql] of waiting) answers[index] = [sql, (await askWarehouse(warehouse, sql)).rows];
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  writeAnswers(corpus, answers);
  process.stdout.write(`${corpus}: ${answers.length}\n`);
}

/** Asks Spark what no query of people can ask. */
async function readDocumentation(sql: string): Promise<readonly unknown[]> {
  const statement = {
    sql,
    parameters: {},
    tables: [],
    isRepeatable: false,
    withUnreadable: false,
    parts: null,
  };
  const { rows } = await askWarehouse(warehouse, statement as unknown as CheckedStatement);
  return rows?.flatMap((row) => Object.values(row)) ?? [];
}

const lines = readFileSync(join(import.meta.dirname, 'constructs.sql'), 'utf8').split('\n');
const examples = await readDocumentedExamples(readDocumentation);
await record(
  'constructs',
  lines.filter((line) => line !== ''),
);
await record('documented', examples);
await record('generated', examples.flatMap(changeArguments));
await warehouse.close();
await server.close();
await stop();
