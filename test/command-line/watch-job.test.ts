import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { ApiLink } from '../../src/command-line/api-link.ts';
import { CommandError } from '../../src/command-line/command-error.ts';
import { ExitCode } from '../../src/command-line/exit-code.ts';
import type { JobFactsFragment, JobState } from '../../src/command-line/generated/graphql.ts';
import { type LinkChange, watchJob } from '../../src/command-line/watch-job.ts';
import { job } from './job.ts';

function createState(revision: number, state: JobState = 'RUNNING'): JobFactsFragment {
  return { ...job, revision, state };
}

const lost = new CommandError(ExitCode.UNREACHABLE, 'cannot reach it', { isTransient: true });

/** A state of the job, an event of its log, the reason of a gap, a failure, or the end of the stream. */
type Step = JobFactsFragment | { event: string } | { gap: string } | CommandError | 'end';

/**
 * An API whose connections yield these states and events and break with these errors. The cursor of an event is its message.
 * A query for the job returns the last state.
 */
function createApi(connections: readonly (readonly Step[])[]) {
  let opened = 0;
  let last: JobFactsFragment | null = null;
  const afters: (string | null)[] = [];
  let steps: readonly Step[] = [];
  let newest: string | null = null;
  const isMessage = (step: Step) => typeof step === 'object' && ('event' in step || 'gap' in step);
  const api: ApiLink = {
    async send<Result>(operation: { toString(): string }) {
      if (!operation.toString().includes('JobLogEnd')) return { job: last } as Result;
      // Each connection of a watch begins with this.
      steps = connections[opened++] ?? [lost];
      for (const step of steps) if (typeof step === 'object' && 'event' in step) newest = step.event;
      return { job: { events: { edges: newest === null ? [] : [{ cursor: newest }] } } } as Result;
    },
    fetchBackup: () => Promise.reject(lost),
    async *subscribe<Result>(
      operation: { toString(): string },
      variables: unknown,
      signal?: AbortSignal,
    ): AsyncGenerator<Result, void> {
      if (!operation.toString().includes('subscription JobLog(')) {
        for (const step of steps) {
          // What comes before it on the other stream has arrived.
          if (step instanceof CommandError) await setImmediate();
          if (step instanceof CommandError) throw step;
          if (step === 'end') return;
          if ('event' in step || 'gap' in step) continue;
          last = step;
          yield { jobProgress: step } as Result;
        }
        return;
      }
      afters.push((variables as { after: string | null }).after);
      for (const step of steps.filter(isMessage)) {
        const event = step as { event?: string; gap?: string };
        const message =
          event.gap === undefined
            ? {
                cursor: event.event,
                event: { __typename: 'JobPausedEvent', message: event.event },
                gap: null,
              }
            : { cursor: 'gap', event: null, gap: { message: event.gap } };
        yield { jobEvents: message } as Result;
      }
      if (steps.includes('end')) return;
      // As the log of a job that runs: it waits for what comes next.
      await new Promise((resolve) => signal?.addEventListener('abort', resolve));
    },
  };
  return { api, afters };
}

/** Watches until the end. */
async function watch(connections: readonly (readonly Step[])[], giveUpAfterMs = 60_000) {
  const revisions: number[] = [];
  const reported: LinkChange[] = [];
  const { api, afters } = createApi(connections);
  const states = watchJob(api, 'Job:1', {
    giveUpAfterMs,
    onLinkChange: (change) => reported.push(change),
  });
  const failure = await (async () => {
    for await (const { revision } of states) revisions.push(revision);
  })().catch((error: unknown) => error);
  return { revisions, reported, failure, afters };
}

const WAS_LOST = { isLost: true, problem: lost.message };
const IS_BACK = { isLost: false, gap: null, meanwhile: [] };

test('each state is shown once, and never an older one after a newer one', async () => {
  expect(
    await watch([
      [createState(1), createState(4), createState(3), createState(4), lost],
      [createState(2), createState(4), lost],
      [createState(5), createState(9, 'COMPLETED')],
    ]),
  ).toMatchObject({
    revisions: [1, 4, 5, 9],
    reported: [WAS_LOST, IS_BACK, WAS_LOST, IS_BACK],
    failure: undefined,
  });
});

test('a lost connection is reported once, however many attempts it takes to reconnect', async () => {
  const { reported } = await watch([[createState(1), lost], [lost], [lost], [createState(2, 'FAILED')]]);
  expect(reported).toEqual([WAS_LOST, IS_BACK]);
});

test('a watch that is back reads the log on from its last cursor, and reports what happened meanwhile', async () => {
  const { afters, reported, revisions } = await watch([
    [{ event: 'Queued' }, createState(1), lost],
    [{ event: 'Paused' }, { event: 'Resumed by kim' }, createState(4), lost],
    [createState(6, 'COMPLETED')],
  ]);
  expect(afters).toEqual(['Queued', 'Queued', 'Resumed by kim']);
  expect(reported).toEqual([
    ...[WAS_LOST, { ...IS_BACK, meanwhile: ['Paused', 'Resumed by kim'] }],
    ...[WAS_LOST, IS_BACK],
  ]);
  expect(revisions).toEqual([1, 4, 6]);
});

test('a watch whose cursor is gone names the gap', async () => {
  const { reported } = await watch([
    [{ event: 'Queued' }, createState(1), lost],
    [{ gap: 'it is gone' }, { event: 'Resumed' }, createState(2, 'COMPLETED')],
  ]);
  expect(reported).toEqual([WAS_LOST, { isLost: false, gap: 'it is gone', meanwhile: ['Resumed'] }]);
});

test('a stream that ends before the job is opened again', async () => {
  expect(await watch([[createState(1), 'end'], [createState(2, 'CANCELLED')]])).toMatchObject({
    revisions: [1, 2],
    reported: [],
    failure: undefined,
  });
});

test('an error that reconnecting cannot fix ends the watch at once', async () => {
  const forbidden = new CommandError(ExitCode.NOT_ALLOWED, 'the token has expired');
  expect(await watch([[createState(1), forbidden], [createState(2, 'COMPLETED')]])).toMatchObject({
    revisions: [1],
    failure: forbidden,
  });
});

test('a watch gives up on a server that stays away', async () => {
  const { revisions, failure } = await watch([[createState(1), lost]], 300);
  expect({ revisions, failure }).toMatchObject({
    revisions: [1],
    failure: { exitCode: ExitCode.UNREACHABLE },
  });
});
