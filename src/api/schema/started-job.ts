import type { Job } from '../../database/generated/prisma/client.ts';
import type { builder } from './builder.ts';
import { JobNode } from './job.ts';

/** What a mutation that starts or ends a job gives. */
export interface StartedJob {
  readonly job: Job;
  readonly message: string;
}

type Fields = PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, StartedJob>;

/** The fields that the success types of these mutations share. */
export function startedJobFields(t: Fields) {
  return {
    job: t.field({ type: JobNode, description: 'The job as it is now.', resolve: ({ job }) => job }),
    message: t.exposeString('message', { description: 'What was done, for people.' }),
  };
}
