import type { JobRowFragment } from '../generated/graphql.ts';

/** Names a job for people: `Incremental sync of sortie`. */
export function nameJob({ kind, dataType, configuration, retryMode }: JobRowFragment): string {
  const type = dataType ?? 'all types';
  if (kind === 'REPAIR') return 'Repair of the catalog';
  if (retryMode === 'FAILED_ITEMS') return `Retry of failed items, ${type}`;
  if (retryMode === 'FAILED_SOURCES') return `Retry of failed sources, ${type}`;
  if (kind === 'QUERY') return `Query of ${type}`;
  const isFull = 'syncType' in configuration && configuration.syncType === 'FULL';
  return `${isFull ? 'Full' : 'Incremental'} sync of ${type}`;
}
