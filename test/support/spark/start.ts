import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import type { TestProject } from 'vitest/node';
import type { SparkServer } from './connect.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The Spark of the run. */
    readonly spark: SparkServer;
  }
}

/** Where the jars are kept between runs; `pom.xml` beside this file pins them. */
const FOLDER = join(import.meta.dirname, '../../../.spark');
const JARS = join(FOLDER, 'jars');

/** What Spark's own launcher gives Java (org.apache.spark.launcher.JavaModuleOptions). */
const OPENED = [
  ...['java.lang', 'java.lang.invoke', 'java.lang.reflect', 'java.io', 'java.net', 'java.nio', 'java.util'],
  ...[
    'java.util.concurrent',
    'java.util.concurrent.atomic',
    'sun.nio.ch',
    'sun.nio.cs',
    'sun.security.action',
  ],
  ...['sun.util.calendar', 'jdk.internal.ref'],
].map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`);

/** Fetches Spark with Maven where it is missing, starts Spark Connect, and ends it after the run. */
export default async function startSpark(project: TestProject): Promise<() => Promise<void>> {
  await mkdir(FOLDER, { recursive: true });
  if (!existsSync(JARS)) fetchJars();
  const protoFolder = join(FOLDER, 'proto');
  if (!existsSync(protoFolder)) await extractDefinitions(protoFolder);
  const warehouse = await mkdtemp(join(tmpdir(), 'blade-spark-'));
  const port = await findFreePort();
  const child = spawn('java', [...OPENED, ...listSettings(warehouse, port), MAIN], {
    cwd: warehouse,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const output = createInterface({ input: child.stderr });
  const lines: string[] = [];
  output.on('line', (line) => {
    lines.push(line);
    lines.splice(0, lines.length - 50);
  });
  const ended = once(child, 'exit');
  await Promise.race([
    waitForPort(port),
    ended.then(() => {
      throw new Error(`Spark has ended:\n${lines.join('\n')}`);
    }),
  ]);
  project.provide('spark', { address: `127.0.0.1:${port}`, protoFolder });
  return async () => {
    child.kill('SIGKILL');
    await ended;
    await rm(warehouse, { recursive: true, force: true });
  };
}

const MAIN = 'org.apache.spark.sql.connect.service.SparkConnectServer';

function listSettings(warehouse: string, port: number): string[] {
  const settings = {
    'spark.master': 'local[2]',
    'spark.connect.grpc.binding.address': '127.0.0.1',
    'spark.connect.grpc.binding.port': port,
    'spark.driver.host': '127.0.0.1',
    'spark.sql.extensions': 'io.delta.sql.DeltaSparkSessionExtension',
    'spark.sql.catalog.spark_catalog': 'org.apache.spark.sql.delta.catalog.DeltaCatalog',
    'spark.sql.warehouse.dir': warehouse,
    'spark.sql.session.timeZone': 'UTC',
    'spark.sql.shuffle.partitions': 2,
    'spark.ui.enabled': false,
    // Tests vacuum what they have just written.
    'spark.databricks.delta.retentionDurationCheck.enabled': false,
  };
  const given = Object.entries(settings).map(([name, value]) => `-D${name}=${value}`);
  return ['-Xmx2g', '-cp', join(JARS, '*'), '-Djdk.reflect.useDirectMethodHandle=false', ...given];
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

/** Resolves once the port accepts connections. */
async function waitForPort(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return;
    await setTimeout(POLL_MS);
  }
}

const POLL_MS = 100;

async function findFreePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
