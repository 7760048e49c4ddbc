import type { DataSource, Prisma } from '../database/generated/prisma/client.ts';
import { createIssue, InvalidInputError } from '../shared/invalid-input.ts';
import { DataSourceNotFoundError } from '../sources/source-errors.ts';
import type { NewPartition } from './insert-job.ts';

/** Lists the enabled sources, or those of one data type. */
export function listEnabledSources(
  transaction: Prisma.TransactionClient,
  dataType: string | null,
): Promise<DataSource[]> {
  return transaction.dataSource.findMany({
    where: { enabled: true, ...(dataType === null ? {} : { dataType }) },
    orderBy: [{ dataType: 'asc' }, { name: 'asc' }],
  });
}

/**
 * Finds sources by their ids, each once, in the order of their names.
 * @throws DataSourceNotFoundError, or InvalidInputError for those that are disabled.
 */
export async function findEnabledSources(
  transaction: Prisma.TransactionClient,
  ids: readonly string[],
): Promise<DataSource[]> {
  const sources = await transaction.dataSource.findMany({
    where: { id: { in: [...ids] } },
    orderBy: [{ dataType: 'asc' }, { name: 'asc' }],
  });
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

/** The partition that reads a source. */
export function toPartition({
  id,
  name,
  dataType,
}: Pick<DataSource, 'id' | 'name' | 'dataType'>): NewPartition {
  return { dataType, dataSourceId: id, sourceName: name };
}
