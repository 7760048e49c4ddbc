import { findClearedSchema } from '../../database/cleared-views.ts';
import { selectColumns } from '../../database/columns.ts';
import { type DataSource, Prisma, type PrismaClient } from '../../database/generated/prisma/client.ts';
import { createLoader } from '../../shared/loader.ts';
import type { ApiContext } from '../context.ts';

/**
 * Loads the sources that a job reads, by name; deleted ones are missing. The jobs of a page are looked up together, in one
 * statement.
 * @param columns the columns to read of the sources; null for all.
 */
export async function loadJobSources(
  { prisma, principal }: Pick<ApiContext, 'prisma' | 'principal'>,
  { id }: { readonly id: string },
  columns: ReadonlySet<string> | null,
): Promise<readonly DataSource[]> {
  const schema = findClearedSchema(principal.clearance);
  const sources = await loadSourcesByJob(prisma, { jobId: id, columns: columns ?? ALL_COLUMNS, schema });
  return sources.get(id) ?? [];
}

interface Question {
  readonly jobId: string;
  readonly columns: Iterable<string>;
  /** The schema that the client reads: the same for all questions to one client. */
  readonly schema: string | null;
}

const ALL_COLUMNS: readonly string[] = Object.values(Prisma.DataSourceScalarFieldEnum);

const loadSourcesByJob = createLoader(async (prisma: PrismaClient, questions: readonly Question[]) => {
  const jobIds = [...new Set(questions.map(({ jobId }) => jobId))];
  const list = selectColumns(new Set(questions.flatMap(({ columns }) => [...columns])), 'source');
  // The client adds the schema for the principal's clearance only to statements that it writes itself.
  const schema = questions[0]?.schema ?? 'public';
  const nameTable = (name: string) => Prisma.raw(`"${schema}"."${name}"`);
  // Grouped first: a job can have many partitions, all of one source.
  const sources = await prisma.$queryRaw<(DataSource & { readonly jobIds: string })[]>`
    select part."jobIds", ${list} from (
      select data_source_id, string_agg(distinct job_id::text, ' ') as "jobIds" from ${nameTable('job_partition')}
      where job_id = any(${jobIds}::uuid[]) group by data_source_id) as part
    join ${nameTable('data_source')} as source on source.id = part.data_source_id
    order by source.name`;
  const byJob = new Map<string, DataSource[]>();
  for (const { jobIds: readers, ...source } of sources) {
    for (const jobId of readers.split(' ')) byJob.set(jobId, [...(byJob.get(jobId) ?? []), source]);
  }
  return byJob;
});
