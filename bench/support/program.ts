import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ProbeReading } from './probe.ts';

/** The program in its own process. */
export interface Program {
  /** The address of its API; of its health without that role. */
  readonly url: string;
  readonly pid: number;
  /** Sends an operation. @throws for errors in the answer. */
  send<Result>(query: string, variables?: object): Promise<Result>;
  stop(): Promise<void>;
}

/** The program with a probe in it. */
export interface MeasuredProgram extends Program {
  read(): Promise<ProbeReading>;
}

/** Limits for clients that a benchmark would meet. */
const NO_LIMITS = {
  BLADE_REQUESTS_PER_SECOND: '1000000',
  BLADE_MUTATIONS_PER_MINUTE: '1000000',
  BLADE_SUBSCRIPTIONS_PER_MINUTE: '1000000',
  BLADE_MAX_SUBSCRIPTIONS: '1000000',
};

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Starts the program from its sources and waits until it serves.
 * @param settings of the program, which inherits only the PATH of this process.
 * @param checkout the root of the checkout to run, if not this one.
 */
export async function startMeasuredProgram(
  settings: Record<string, string>,
  checkout = CHECKOUT,
): Promise<MeasuredProgram> {
  const probe = new URL('./probe.ts', import.meta.url).href;
  const child = spawn(process.execPath, ['--import', probe, 'src/main.ts'], {
    cwd: checkout,
    env: {
      ...{ PATH: process.env.PATH, PORT: '0', BLADE_DEMO_DATA: 'false', LOG_LEVEL: 'info' },
      ...NO_LIMITS,
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  return {
    ...(await waitUntilServing(child)),
    async read() {
      const reading = once(child, 'message');
      child.send('read');
      const [message] = await reading;
      return message as ProbeReading;
    },
  };
}

/**
 * Starts the built program as `npm start` does, with the demo's data, and waits until it serves.
 * @param settings of the program, which inherits only the PATH of this process.
 * @throws if it is not built.
 */
export async function startBuiltProgram(settings: Record<string, string>): Promise<Program> {
  checkIsBuilt();
  const child = spawn(process.execPath, ['dist/main.js'], {
    cwd: CHECKOUT,
    env: { PATH: process.env.PATH, PORT: '0', ...settings },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return waitUntilServing(child);
}

/** @throws if the checkout has no built program. */
export function checkIsBuilt(): void {
  const entry = join(CHECKOUT, 'dist', 'main.js');
  if (!existsSync(entry)) throw new Error(`There is no ${entry}. Build the program first: npm run build`);
}

async function waitUntilServing(child: ChildProcess): Promise<Program> {
  const exited = once(child, 'exit');
  const { stdout } = child;
  if (stdout === null) throw new Error('the program has no output');
  const lines: string[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: stdout }).on('line', (line) => {
      lines.push(line);
      if (/"level":[456]0/.test(line)) process.stderr.write(`${line}\n`);
      const served = /(?:GraphQL and GraphiQL are|health is) at ([^"\s]+)/.exec(line)?.[1];
      if (served !== undefined) resolve(served);
    });
    void exited.then(() => reject(new Error(`The program ended:\n${lines.join('\n')}`)));
  });
  if (child.pid === undefined) throw new Error('the program has no process');
  return {
    url,
    pid: child.pid,
    async send<Result>(query: string, variables: object = {}) {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
        body: JSON.stringify({ query, variables }),
      });
      const { data, errors } = (await response.json()) as { data?: Result; errors?: unknown };
      if (data === undefined || errors !== undefined) throw new Error(JSON.stringify(errors));
      return data;
    },
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** A table as a source, with other fields of the input of `createDataSource`. */
export interface Source {
  readonly name?: string;
  readonly dataType?: string;
  readonly catalogName?: string;
  readonly tableName?: string;
  readonly deletePolicy?: 'KEEP' | 'MARK' | 'REMOVE';
  readonly readMode?: 'AUTO' | 'CHANGE_FEED' | 'CURSOR' | 'SNAPSHOT';
}

/** Adds a source that reads `blade.field.<tableName>`: the table of sorties unless said otherwise. @returns its id. */
export async function addSource(program: MeasuredProgram, source: Source = {}): Promise<string> {
  const { createDataSource } = await program.send<{ createDataSource: { dataSource?: { id: string } } }>(
    `mutation ($input: CreateDataSourceInput!) {
       createDataSource(input: $input) { ... on CreateDataSourceSuccess { dataSource { id } } ... on UserError { message } } }`,
    { input: { ...SORTIES, ...source } },
  );
  if (createDataSource.dataSource === undefined) throw new Error(JSON.stringify(createDataSource));
  return createDataSource.dataSource.id;
}

const SORTIES = {
  ...{ name: 'Sorties', dataType: 'sortie' },
  ...{ catalogName: 'blade', schemaName: 'field', tableName: 'sortie' },
};

/** The input of `startSync`. */
export interface SyncInput {
  readonly syncType?: 'FULL' | 'INCREMENTAL';
  readonly dataType?: string;
  readonly options?: object;
}

/** Starts a sync, which is FULL unless said otherwise. @returns the id of its job. */
export async function startSync(program: MeasuredProgram, input: SyncInput = {}): Promise<string> {
  const { startSync } = await program.send<{ startSync: { job?: { id: string } } }>(
    `mutation ($input: StartSyncInput!) {
       startSync(input: $input) { ... on StartSyncSuccess { job { id } } ... on UserError { message } } }`,
    { input: { syncType: 'FULL', ...input } },
  );
  if (startSync.job === undefined) throw new Error(JSON.stringify(startSync));
  return startSync.job.id;
}

/** Runs a sync to its end. @returns its seconds from its creation, and its counts. @throws if it does not succeed. */
export async function runSync(program: MeasuredProgram, input: SyncInput = {}): Promise<FinishedSync> {
  const id = await startSync(program, input);
  for (;;) {
    const { job } = await program.send<{ job: FoundJob }>(
      `query ($id: ID!) { job(id: $id) {
         state outcome failureReason createdAt finishedAt progress { successCount deletedCount } } }`,
      { id },
    );
    const { outcome, createdAt, finishedAt, progress } = job;
    if (finishedAt === null) await wait(50);
    else if (outcome === 'SUCCEEDED')
      return { seconds: (Date.parse(finishedAt) - Date.parse(createdAt)) / 1_000, ...progress };
    else throw new Error(JSON.stringify(job));
  }
}

export interface FinishedSync extends Counts {
  readonly seconds: number;
}

interface Counts {
  readonly successCount: number;
  readonly deletedCount: number;
}

interface FoundJob {
  readonly outcome: string | null;
  readonly createdAt: string;
  readonly finishedAt: string | null;
  readonly progress: Counts;
}
