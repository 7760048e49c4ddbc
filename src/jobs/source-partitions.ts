import { selectColumns } from '../database/columns.ts';
import { type DataSource, Prisma } from '../database/generated/prisma/client.ts';
import { createIssue, InvalidInputError } from '../shared/invalid-input.ts';
import { DataSourceNotFoundError } from '../sources/source-errors.ts';
import type { NewPartition } from './insert-job.ts';

/** Lists the enabled sources, or those of one data type. */
export function listEnabledSources(
  transaction: Prisma.TransactionClient,
  dataType: string | null,
): Promise<ReadSource[]> {
  return readSources(
    transaction,
    dataType === null ? Prisma.sql`enabled` : Prisma.sql`enabled and data_type = ${dataType}`,
  );
}

/**
 * Finds sources by their ids, each once, in the order of their names.
 * @throws DataSourceNotFoundError, or InvalidInputError for those that are disabled.
 */
export async function findEnabledSources(
  transaction: Prisma.TransactionClient,
  ids: readonly string[],
): Promise<ReadSource[]> {
  const sources = await findSources(transaction, ids);
  const byId = new Map(sources.map((source) => [source.id, source]));
  const issues = ids.flatMap((id, index) => {
    const source = byId.get(id);
    if (source === undefined) throw new DataSourceNotFoundError(id);
    if (source.enabled) return [];
    return [createIssue(`input.dataSourceIds.${index}`, 'NOT_ALLOWED', describeDisabled(source.name))];
  });
  if (issues.length > 0) throw new InvalidInputError(issues);
  return sources;
}

/** Why a job cannot read a source that is disabled. */
export function describeDisabled(name: string): string {
  return `${JSON.stringify(name)} is disabled: enable it first`;
}

/** Finds sources by their ids, in the order of their names. Those that do not exist are missing. */
export function findSources(
  transaction: Prisma.TransactionClient,
  ids: readonly string[],
): Promise<ReadSource[]> {
  return readSources(transaction, Prisma.sql`id = any(${ids}::uuid[])`);
}

/** What a job is made of. */
type ReadSource = Pick<DataSource, (typeof READ_FIELDS)[number]>;

const READ_FIELDS = ['id', 'name', 'dataType', 'enabled'] as const;

/** Reads sources that nobody can change or delete until the transaction has created the job that reads them. */
function readSources(transaction: Prisma.TransactionClient, condition: Prisma.Sql): Promise<ReadSource[]> {
  return transaction.$queryRaw<ReadSource[]>`
    select ${selectColumns(READ_FIELDS)} from data_source where ${condition} order by data_type, name for key share`;
}

/** The partition that reads a source. */
export function toPartition({
  id,
  name,
  dataType,
}: Pick<DataSource, 'id' | 'name' | 'dataType'>): NewPartition {
  return { dataType, dataSourceId: id, sourceName: name };
}
