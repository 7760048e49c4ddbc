import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { freePort } from '../free-port.ts';

/** Where Spark is kept between runs; `pom.xml` beside this file pins it. */
export const FOLDER = join(import.meta.dirname, '../../../.spark');
export const JARS = join(FOLDER, 'jars');

/** A Spark Connect server in a process. */
export interface LaunchedSpark {
  readonly port: number;
  /** Where Spark says what it is doing (https://spark.apache.org/docs/4.0.1/monitoring.html#rest-api). */
  readonly statusUrl: string;
  kill(): Promise<void>;
}

/**
 * Starts Spark Connect, and waits until it answers.
 * @param warehouse the folder of its tables.
 */
export async function launchSpark(warehouse: string): Promise<LaunchedSpark> {
  const port = await freePort();
  const statusPort = await freePort();
  const child = spawn('java', [...OPENED, ...listSettings(warehouse, port, statusPort), MAIN], {
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
  return {
    port,
    statusUrl: `http://127.0.0.1:${statusPort}/api/v1`,
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

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

const MAIN = 'org.apache.spark.sql.connect.service.SparkConnectServer';

function listSettings(warehouse: string, port: number, statusPort: number): string[] {
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
    'spark.ui.port': statusPort,
    // By default, Delta reads its own log in 50 tasks, and lists files for VACUUM in 10,000.
    'spark.databricks.delta.snapshotPartitions': 2,
    'spark.sql.sources.parallelPartitionDiscovery.parallelism': 2,
    // Tests vacuum what they have just written.
    'spark.databricks.delta.retentionDurationCheck.enabled': false,
  };
  const given = Object.entries(settings).map(([name, value]) => `-D${name}=${value}`);
  return ['-Xmx2g', '-cp', join(JARS, '*'), '-Djdk.reflect.useDirectMethodHandle=false', ...given];
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
