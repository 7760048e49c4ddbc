import type { FieldMap } from '@pothos/core';
import type { Job } from '../../database/generated/prisma/client.ts';
import type { builder } from './builder.ts';
import { JobNode } from './job.ts';

/** The result of a mutation that controls a job. */
export interface ControlledJob {
  readonly job: Job;
  readonly message: string;
}

/** The result of a mutation that starts a job. */
export interface StartedJob extends ControlledJob {
  readonly isReplay: boolean;
}

type Fields<Parent> = PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, Parent>;

/** Adds what was done to a job that was started, as text to show. */
export function describeStart<Started extends { readonly isReplay: boolean }>(
  started: Started,
  message: string,
): Started & { readonly message: string } {
  return {
    ...started,
    message: started.isReplay
      ? 'Nothing was started now: this idempotency key has already started the job'
      : message,
  };
}

/** The fields of the success types of mutations that start a job. */
export function exposeStartedJob(t: Fields<StartedJob>): FieldMap {
  return {
    ...exposeControlledJob(t as Fields<ControlledJob>),
    isReplay: t.exposeBoolean('isReplay', {
      description:
        'Whether this is the job that the same `idempotencyKey` has started before. Nothing was started now.',
    }),
  };
}

/** The fields that the success types of all mutations of a job share. */
export function exposeControlledJob(t: Fields<ControlledJob>): FieldMap {
  return {
    job: t.field({ type: JobNode, description: 'The job in its current state.', resolve: ({ job }) => job }),
    message: t.exposeString('message', { description: 'What was done, as text to show.' }),
  };
}

export const IDEMPOTENCY_KEY =
  'Makes it safe to send the same again, such as after a lost answer: within 24 hours, your same key with the same input returns the job that it started. 1 to 255 printable ASCII characters without spaces, such as a UUID.';
