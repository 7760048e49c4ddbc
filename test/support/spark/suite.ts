import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '../../../.spark/tests');
const RESULTS = join(FOLDER, 'sql-tests/results');

/** Fetches the jar of Spark's own tests with Maven where it is missing. @returns the folder with their results. */
export async function fetchSparkSuite(): Promise<string> {
  if (existsSync(RESULTS)) return RESULTS;
  await mkdir(FOLDER, { recursive: true });
  execFileSync(
    'mvn',
    ['-q', '-B', 'dependency:copy', `-Dartifact=${ARTIFACT}`, `-DoutputDirectory=${FOLDER}`],
    { stdio: STREAMS },
  );
  execFileSync('jar', ['xf', join(FOLDER, JAR), 'sql-tests/results'], { cwd: FOLDER, stdio: STREAMS });
  return RESULTS;
}

const STREAMS: ('ignore' | 'inherit')[] = ['ignore', 'inherit', 'inherit'];

const ARTIFACT = 'org.apache.spark:spark-sql_2.13:4.0.1:jar:tests';
const JAR = 'spark-sql_2.13-4.0.1-tests.jar';
