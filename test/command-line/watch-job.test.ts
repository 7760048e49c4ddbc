import { expect, test } from 'vitest';
import type { Api } from '../../src/command-line/api.ts';
import { CommandError, ExitCode } from '../../src/command-line/exit-code.ts';
import type { JobFactsFragment, JobState } from '../../src/command-line/generated/graphql.ts';
import { watchJob } from '../../src/command-line/watch-job.ts';

function job(revision: number, state: JobState = 'RUNNING'): JobFactsFragment {
  return {
    id: 'Job:1',
    kind: 'SYNC',
    dataType: null,
    state,
    revision,
    createdAt: '2026-01-01T00:00:00.000Z',
    startedAt: null,
    finishedAt: null,
    failureReason: null,
    failedItemsOnly: false,
    retryOf: null,
    recentErrors: [],
    progress: {
      currentOperation: 'Syncing',
      percent: null,
      totalItems: null,
      processedItems: 0,
      successCount: 0,
      errorCount: 0,
      itemsPerSecond: null,
      estimatedCompletion: null,
      elapsedSeconds: null,
      byType: [],
    },
  };
}

const lost = new CommandError(ExitCode.UNREACHABLE, 'cannot reach it', { isTransient: true });

type Step = JobFactsFragment | CommandError | 'end';

/** An API whose connections give these states and break with these errors; asked for the job, it gives the last. */
function apiOf(connections: readonly (readonly Step[])[]): Api {
  let opened = 0;
  let last: JobFactsFragment | null = null;
  return {
    send: async <Result>() => ({ job: last }) as Result,
    async *subscribe<Result>() {
      for (const step of connections[opened++] ?? [lost]) {
        if (step instanceof CommandError) throw step;
        if (step === 'end') return;
        last = step;
        yield { jobProgress: step } as Result;
      }
    },
  };
}

/** Watches to the end. */
async function watched(connections: readonly (readonly Step[])[], giveUpAfterMs = 60_000) {
  const revisions: number[] = [];
  const told: (string | null)[] = [];
  const states = watchJob(apiOf(connections), 'Job:1', {
    giveUpAfterMs,
    onConnection: (problem) => told.push(problem),
  });
  const failure = await (async () => {
    for await (const { revision } of states) revisions.push(revision);
  })().catch((error: unknown) => error);
  return { revisions, told, failure };
}

test('a state is shown once, and an older one never after a newer one', async () => {
  expect(
    await watched([
      [job(1), job(4), job(3), job(4), lost],
      [job(2), job(4), lost],
      [job(5), job(9, 'COMPLETED')],
    ]),
  ).toEqual({ revisions: [1, 4, 5, 9], told: [lost.message, null, lost.message, null], failure: undefined });
});

test('each loss is told once, however often it is tried to connect again', async () => {
  const { told } = await watched([[job(1), lost], [lost], [lost], [job(2, 'FAILED')]]);
  expect(told).toEqual([lost.message, null]);
});

test('a stream that ends before the job does is opened again', async () => {
  expect(await watched([[job(1), 'end'], [job(2, 'CANCELLED')]])).toEqual({
    revisions: [1, 2],
    told: [],
    failure: undefined,
  });
});

test('what no new connection can mend ends the watch at once', async () => {
  const forbidden = new CommandError(ExitCode.NOT_ALLOWED, 'the token has expired');
  expect(await watched([[job(1), forbidden], [job(2, 'COMPLETED')]])).toMatchObject({
    revisions: [1],
    failure: forbidden,
  });
});

test('a server that stays away ends the watch after the time that was given', async () => {
  const { revisions, failure } = await watched([[job(1), lost]], 300);
  expect({ revisions, failure }).toMatchObject({
    revisions: [1],
    failure: { exitCode: ExitCode.UNREACHABLE },
  });
});
