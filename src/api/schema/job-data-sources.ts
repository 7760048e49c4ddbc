import { setImmediate } from 'node:timers/promises';
import { clearedSchemaOf } from '../../database/cleared-views.ts';
import { columnsOfFields } from '../../database/columns.ts';
import { type DataSource, Prisma, type PrismaClient } from '../../database/generated/prisma/client.ts';
import type { ApiContext } from '../context.ts';

/**
 * The sources that a job reads, by name; those that were deleted are missing. Jobs that are asked for in one turn of the
 * event loop, such as those of a page, are looked up together: one statement, however many there are.
 * @param columns those that have to be read of the sources; null for all.
 */
export function dataSourcesOf(
  { prisma, principal }: Pick<ApiContext, 'prisma' | 'principal'>,
  { id }: { readonly id: string },
  columns: ReadonlySet<string> | null,
): Promise<readonly DataSource[]> {
  let batch = batches.get(prisma);
  if (batch === undefined) {
    const question: Question = { jobIds: new Set(), columns: new Set() };
    const found = setImmediate().then(() => {
      batches.delete(prisma);
      return findByJob(prisma, clearedSchemaOf(principal.clearance), question);
    });
    batch = { ...question, found };
    batches.set(prisma, batch);
  }
  batch.jobIds.add(id);
  for (const column of columns ?? ALL_COLUMNS) batch.columns.add(column);
  return batch.found.then((byJob) => byJob.get(id) ?? []);
}

interface Question {
  readonly jobIds: Set<string>;
  readonly columns: Set<string>;
}

interface Batch extends Question {
  readonly found: Promise<ReadonlyMap<string, DataSource[]>>;
}

/** Those that have yet to be looked up, by who looks. */
const batches = new WeakMap<PrismaClient, Batch>();

const ALL_COLUMNS: readonly string[] = Object.values(Prisma.DataSourceScalarFieldEnum);

async function findByJob(
  prisma: PrismaClient,
  schema: string | null,
  { jobIds, columns }: Question,
): Promise<ReadonlyMap<string, DataSource[]>> {
  // The client adds the schema of what the principal may see to its own statements only.
  const tableOf = (name: string) => Prisma.raw(`"${schema ?? 'public'}"."${name}"`);
  const list = columnsOfFields(columns, 'source');
  // Grouped first: a job has a partition for every million rows or less, all of one source.
  const sources = await prisma.$queryRaw<(DataSource & { readonly jobIds: string })[]>`
    select part."jobIds", ${list} from (
      select data_source_id, string_agg(distinct job_id::text, ' ') as "jobIds" from ${tableOf('job_partition')}
      where job_id = any(${[...jobIds]}::uuid[]) group by data_source_id) as part
    join ${tableOf('data_source')} as source on source.id = part.data_source_id
    order by source.name`;
  const byJob = new Map<string, DataSource[]>();
  for (const { jobIds: readers, ...source } of sources) {
    for (const jobId of readers.split(' ')) byJob.set(jobId, [...(byJob.get(jobId) ?? []), source]);
  }
  return byJob;
}
