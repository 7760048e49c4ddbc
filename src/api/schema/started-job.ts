import type { FieldMap } from '@pothos/core';
import type { Job } from '../../database/generated/prisma/client.ts';
import type { builder } from './builder.ts';
import { JobNode } from './job.ts';

/** The result of a mutation that starts or controls a job. */
export interface StartedJob {
  readonly job: Job;
  readonly message: string;
}

type Fields = PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, StartedJob>;

/** The fields that the success types of these mutations share. */
export function exposeStartedJob(t: Fields): FieldMap {
  return {
    job: t.field({ type: JobNode, description: 'The job in its current state.', resolve: ({ job }) => job }),
    message: t.exposeString('message', { description: 'What was done, as text to show.' }),
  };
}
