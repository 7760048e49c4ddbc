import { expect, test } from 'vitest';
import type { ApiLink } from '../../src/command-line/api-link.ts';
import { CommandError } from '../../src/command-line/command-error.ts';
import { ExitCode } from '../../src/command-line/exit-code.ts';
import type { JobFactsFragment, JobState } from '../../src/command-line/generated/graphql.ts';
import { watchJob } from '../../src/command-line/watch-job.ts';
import { job } from './job.ts';

function createState(revision: number, state: JobState = 'RUNNING'): JobFactsFragment {
  return { ...job, revision, state };
}

const lost = new CommandError(ExitCode.UNREACHABLE, 'cannot reach it', { isTransient: true });

type Step = JobFactsFragment | CommandError | 'end';

/** An API whose streams yield these states and break with these errors; a query for the job returns the last state. */
function createApi(connections: readonly (readonly Step[])[]): ApiLink {
  let opened = 0;
  let last: JobFactsFragment | null = null;
  return {
    send: async <Result>() => ({ job: last }) as Result,
    fetchBackup: () => Promise.reject(lost),
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

/** Watches until the end. */
async function watch(connections: readonly (readonly Step[])[], giveUpAfterMs = 60_000) {
  const revisions: number[] = [];
  const reported: (string | null)[] = [];
  const states = watchJob(createApi(connections), 'Job:1', {
    giveUpAfterMs,
    onLinkChange: (problem) => reported.push(problem),
  });
  const failure = await (async () => {
    for await (const { revision } of states) revisions.push(revision);
  })().catch((error: unknown) => error);
  return { revisions, reported, failure };
}

test('each state is shown once, and never an older one after a newer one', async () => {
  expect(
    await watch([
      [createState(1), createState(4), createState(3), createState(4), lost],
      [createState(2), createState(4), lost],
      [createState(5), createState(9, 'COMPLETED')],
    ]),
  ).toEqual({
    revisions: [1, 4, 5, 9],
    reported: [lost.message, null, lost.message, null],
    failure: undefined,
  });
});

test('a lost connection is reported once, however many attempts it takes to reconnect', async () => {
  const { reported } = await watch([[createState(1), lost], [lost], [lost], [createState(2, 'FAILED')]]);
  expect(reported).toEqual([lost.message, null]);
});

test('a stream that ends before the job is opened again', async () => {
  expect(await watch([[createState(1), 'end'], [createState(2, 'CANCELLED')]])).toEqual({
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
