import type { ApiLink } from './api-link.ts';
import { JobIdDocument } from './generated/graphql.ts';
import { isGlobalId } from './global-id.ts';
import { jobNotFound } from './watch-job.ts';

/** Finds the id of a job from its beginning. @throws CommandError if no job, or more than one, has such an id. */
export async function findJobId(api: ApiLink, id: string): Promise<string> {
  if (isGlobalId('Job', id)) return id;
  const { job } = await api.send(JobIdDocument, { id });
  if (job === null) throw jobNotFound(id);
  return job.id;
}
