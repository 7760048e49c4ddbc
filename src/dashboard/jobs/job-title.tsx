import type { JobRowFragment } from '../generated/graphql.ts';

/** The UUID in the id of a node: addresses are easier to read with it alone. */
export function uuidOf(id: string): string {
  return id.slice(id.indexOf(':') + 1);
}

/** What people call a job: `Incremental sync of sortie`. */
export function jobTitle({ kind, dataType, configuration, failedItemsOnly }: JobRowFragment): string {
  const type = dataType ?? 'all types';
  if (failedItemsOnly) return `Retry of failed items, ${type}`;
  if (kind === 'QUERY') return `Query of ${type}`;
  const isFull = 'syncType' in configuration && configuration.syncType === 'FULL';
  return `${isFull ? 'Full' : 'Incremental'} sync of ${type}`;
}

/** Enough of an id to tell jobs apart: its end, as its beginning is the time. */
export function shortId(id: string): string {
  return `#${id.slice(-6)}`;
}
