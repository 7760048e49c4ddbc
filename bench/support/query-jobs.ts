import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { addSource, type MeasuredProgram } from './program.ts';

/** Starts query jobs of one row by mutation, and watches them by subscription. */
export interface QueryJobs {
  /**
   * Runs a job to its end.
   * @returns the milliseconds from sending the mutation until a subscriber saw the job RUNNING or in a later state.
   */
  runOne(): Promise<number>;
  /** Starts jobs, several at once, and waits until a subscriber has seen the end of each. @returns jobs a second. */
  runMany(count: number, callers: number): Promise<number>;
  close(): Promise<void>;
}

const START = `mutation { startQueryJob(input: {
  dataType: "sortie", sqlQuery: "select * from blade.field.sortie limit 1"
}) { __typename ... on StartQueryJobSuccess { job { id } } ... on UserError { message } } }`;

/** @param watched the program whose API is subscribed to, if not the one that starts the jobs. */
export async function openQueryJobs(program: MeasuredProgram, watched = program): Promise<QueryJobs> {
  await addSource(program);
  const client = createClient({ url: watched.url.replace('http', 'ws'), webSocketImpl: WebSocket });
  const runningAt = new Map<string, number>();
  const ended = new Set<string>();
  let wake = () => {};
  const events = client.iterate<{ jobChanges: { job: { id: string; state: string } | null } }>({
    query: 'subscription { jobChanges { job { id state } } }',
  });
  const watching = (async () => {
    for await (const { data, errors } of events) {
      if (data == null) throw new Error(JSON.stringify(errors));
      if (data.jobChanges.job === null) continue;
      const { id, state } = data.jobChanges.job;
      if (state !== 'QUEUED' && !runningAt.has(id)) runningAt.set(id, performance.now());
      if (state === 'FAILED') throw new Error(`job ${id} failed`);
      if (state === 'COMPLETED') {
        ended.add(id);
        wake();
      }
    }
  })();
  const isBroken = watching.then(() => Promise.reject(new Error('the subscription has ended')));
  isBroken.catch(() => {});

  async function start(): Promise<string> {
    const { startQueryJob } = await program.send<{ startQueryJob: { job?: { id: string } } }>(START);
    if (startQueryJob.job === undefined) throw new Error(JSON.stringify(startQueryJob));
    return startQueryJob.job.id;
  }

  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      wake = resolve;
      await Promise.race([promise, isBroken]);
    }
  }

  return {
    async runOne() {
      const sentAt = performance.now();
      const id = await start();
      await until(() => ended.has(id));
      return (runningAt.get(id) ?? Number.NaN) - sentAt;
    },
    async runMany(count, callers) {
      ended.clear();
      let left = count;
      const startedAt = performance.now();
      await Promise.all(
        Array.from({ length: callers }, async () => {
          while (left-- > 0) await start();
        }),
      );
      await until(() => ended.size >= count);
      return (count / (performance.now() - startedAt)) * 1000;
    },
    async close() {
      await client.dispose();
      await watching.catch(() => {});
    },
  };
}
