import { z } from 'zod';
import type { Principal } from '../access/principal.ts';
import type { DataTypes } from '../data-types/data-types.ts';
import type { Prisma } from '../database/generated/prisma/client.ts';
import { createJob, type JobStarter, type StartedJob } from './create-job.ts';
import { idempotencyKeyInputSchema } from './input/idempotency-key-input.ts';
import { DEFAULT_JOB_OPTIONS } from './input/job-options.ts';
import { labelsInputSchema } from './input/labels-input.ts';
import type { NewJob } from './insert-job.ts';
import { describeStartRequest } from './start-request.ts';

export const repairCatalogInputSchema = z.object({
  labels: labelsInputSchema,
  idempotencyKey: idempotencyKeyInputSchema,
});

export type RepairCatalogInput = z.output<typeof repairCatalogInputSchema>;

/**
 * Starts a job that compares everything that the store says is uploaded with the catalog, and uploads what is missing or
 * different. Each data type is a partition.
 * @throws RepairAlreadyRunningError while another repair is active; IdempotencyKeyReusedError.
 */
export async function repairCatalog(
  starter: JobStarter,
  principal: Principal,
  dataTypes: DataTypes,
  input: RepairCatalogInput,
): Promise<StartedJob> {
  const describe = async (transaction: Prisma.TransactionClient): Promise<NewJob> => {
    // Also those of plug-ins that are gone.
    const stored = await transaction.$queryRaw<{ dataType: string }[]>`
      with recursive stored as (
        (select data_type from blade_item order by data_type limit 1)
        union all
        select (select i.data_type from blade_item i where i.data_type > stored.data_type order by i.data_type limit 1)
        from stored where stored.data_type is not null
      )
      select data_type as "dataType" from stored where data_type is not null`;
    const names = new Set([...dataTypes.names, ...stored.map(({ dataType }) => dataType)]);
    return {
      job: {
        kind: 'REPAIR',
        // Everybody may know that the catalog is repaired: each item has its own marking.
        marking: 'UNCLASSIFIED',
        options: DEFAULT_JOB_OPTIONS,
        labels: input.labels,
      },
      partitions: [...names].sort().map((dataType) => ({
        ...{ dataType, dataSourceId: null, sourceName: `${dataType} items of the catalog` },
      })),
      operation: 'repairCatalog',
      details: { labels: input.labels },
    };
  };
  return createJob(starter, principal, describe, describeStartRequest('repairCatalog', input));
}
