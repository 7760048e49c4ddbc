import type { Principal } from '../access/principal.ts';
import { type Marking, pickHigherMarking } from '../data-types/marking.ts';
import type { Job, Prisma } from '../database/generated/prisma/client.ts';
import { createJob, type JobStarter } from './create-job.ts';
import type { StartQueryJobInput } from './input/start-query-job-input.ts';
import { NoDataSourceError } from './job-errors.ts';
import { listEnabledSources, toPartition } from './source-partitions.ts';

/**
 * Starts a job that ingests the rows of one SELECT as items of a data type.
 * @param least the default marking of the data type: the job, and so each of its items, is marked at least as high.
 * @throws NoDataSourceError where no enabled source has the data type, to which its items could belong.
 */
export async function startQueryJob(
  starter: JobStarter,
  principal: Principal,
  input: StartQueryJobInput,
  least: Marking,
): Promise<Job> {
  return createJob(starter, principal, async (transaction) => {
    const [source] = await listEnabledSources(transaction, input.dataType);
    if (source === undefined) throw new NoDataSourceError(input.dataType);
    return {
      job: {
        kind: 'QUERY',
        dataType: input.dataType,
        sqlQuery: input.sqlQuery,
        parameters: input.parameters,
        classification: input.catalogConfig.classification,
        reason: input.catalogConfig.reason,
        marking: pickHigherMarking(input.catalogConfig.classification ?? least, least),
        ...(input.catalogConfig.metadata === null
          ? {}
          : { metadata: input.catalogConfig.metadata as Prisma.InputJsonObject }),
        options: input.options,
      },
      partitions: [toPartition(source)],
      operation: 'startQueryJob',
      // Its statement is with the job, for those who may see that.
      details: {
        dataType: input.dataType,
        classification: input.catalogConfig.classification,
        parameterNames: Object.keys(input.parameters).sort(),
      },
    };
  });
}
