import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SparkServer } from './connect.ts';
import { FOLDER, JARS, launchSpark } from './launch.ts';

/** A Spark Connect server with an empty warehouse, which goes with it. */
export interface OwnSpark {
  readonly server: SparkServer;
  close(): Promise<void>;
}

/** Fetches Spark with Maven where it is missing, and starts Spark Connect. */
export async function startSparkServer(): Promise<OwnSpark> {
  await mkdir(FOLDER, { recursive: true });
  await fillOnce(JARS, fetchJars);
  const protoFolder = join(FOLDER, 'proto');
  await fillOnce(protoFolder, extractDefinitions);
  const warehouse = await mkdtemp(join(tmpdir(), 'blade-spark-'));
  const { port, statusUrl, kill } = await launchSpark(warehouse);
  return {
    server: { address: `127.0.0.1:${port}`, statusUrl, protoFolder },
    async close() {
      await kill();
      await rm(warehouse, { recursive: true, force: true });
    },
  };
}

/** Fills a folder that is missing, so that it is whole wherever it is: a run that is interrupted leaves only a temporary one. */
async function fillOnce(folder: string, fill: (folder: string) => void): Promise<void> {
  if (existsSync(folder)) return;
  const temporary = await mkdtemp(`${folder}-`);
  fill(temporary);
  await rename(temporary, folder);
}

function fetchJars(folder: string): void {
  const options = ['-q', '-B', '-f', join(import.meta.dirname, 'pom.xml'), '-DincludeScope=runtime'];
  execFileSync('mvn', [...options, `-DoutputDirectory=${folder}`, 'dependency:copy-dependencies'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

/** The definition of the messages lies in the jar of the server. */
function extractDefinitions(folder: string): void {
  const [jar = ''] = execFileSync('sh', ['-c', `ls "${JARS}"/spark-connect_*.jar`], {
    encoding: 'utf8',
  }).split('\n');
  execFileSync('jar', ['xf', jar, 'spark/connect', 'google/protobuf'], { cwd: folder });
}
