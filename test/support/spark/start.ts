import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import type { SparkServer } from './connect.ts';
import { FOLDER, JARS, launchSpark } from './launch.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The Spark of the run. */
    readonly spark: SparkServer;
  }
}

/** Fetches Spark with Maven where it is missing, starts Spark Connect, and ends it after the run. */
export default async function startSpark(project: TestProject): Promise<() => Promise<void>> {
  await mkdir(FOLDER, { recursive: true });
  if (!existsSync(JARS)) fetchJars();
  const protoFolder = join(FOLDER, 'proto');
  if (!existsSync(protoFolder)) await extractDefinitions(protoFolder);
  const warehouse = await mkdtemp(join(tmpdir(), 'blade-spark-'));
  const { port, kill } = await launchSpark(warehouse);
  project.provide('spark', { address: `127.0.0.1:${port}`, protoFolder });
  return async () => {
    await kill();
    await rm(warehouse, { recursive: true, force: true });
  };
}

function fetchJars(): void {
  const options = ['-q', '-B', '-f', join(import.meta.dirname, 'pom.xml'), '-DincludeScope=runtime'];
  execFileSync('mvn', [...options, `-DoutputDirectory=${JARS}`, 'dependency:copy-dependencies'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

/** The definition of the messages lies in the jar of the server. */
async function extractDefinitions(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const [jar = ''] = execFileSync('sh', ['-c', `ls "${JARS}"/spark-connect_*.jar`], {
    encoding: 'utf8',
  }).split('\n');
  execFileSync('jar', ['xf', jar, 'spark/connect', 'google/protobuf'], { cwd: folder });
}
