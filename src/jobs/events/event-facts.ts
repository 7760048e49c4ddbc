import { z } from 'zod';
import type { JobEvent } from '../../database/generated/prisma/client.ts';
import { JobOutcome } from '../../database/generated/prisma/enums.ts';
import { describeSchemaChanges, schemaChangeSchema } from '../../ingestion/table-schema.ts';
import { sumLevels } from '../../items/level-counts.ts';
import { JobState } from '../job-state.ts';

// The triggers of the migration `job_events` write what these schemas read.

const attemptSchema = z.object({ attempt: z.number() });

const planSchema = z.object({
  /** Null if they are not counted. */
  rows: z.number().nullable(),
  partitions: z.number(),
  isUnchanged: z.boolean(),
});

const levelsSchema = z.array(z.number()).transform(sumLevels);

/** Null for a job that an earlier version of the program ran. */
const knownLevelsSchema = z
  .array(z.number())
  .default([])
  .transform((levels) => (levels.length === 0 ? null : sumLevels(levels)));

const countsSchema = z.object({
  elapsedMs: z.number(),
  success: levelsSchema,
  errors: levelsSchema,
  duplicates: levelsSchema,
  // Absent from jobs of an earlier version of the program.
  deleted: levelsSchema.default(0),
  inserted: knownLevelsSchema,
  updated: knownLevelsSchema,
});

const endSchema = countsSchema.extend({
  state: z.enum(JobState),
  outcome: z.enum(JobOutcome).nullable(),
});

type Event = Pick<JobEvent, 'kind' | 'sourceName' | 'byName' | 'reason' | 'data'>;

/** Reads the facts of ATTEMPT_STARTED, ATTEMPT_LOST and BATCH_RETRIED. */
export function readAttempt({ data }: Pick<Event, 'data'>) {
  return attemptSchema.parse(data);
}

/** Reads the facts of SOURCE_PLANNED. */
export function readPlan({ data }: Pick<Event, 'data'>) {
  return planSchema.parse(data);
}

/** Reads the facts of CHECKPOINT and ENDED: counts of the rows that the clearance of the reader covers. */
export function readCounts({ data }: Pick<Event, 'data'>) {
  return countsSchema.parse(data);
}

const deletedSchema = z.object({ deleted: levelsSchema });

/** Reads the facts of an event about deletes: a count of the items that the clearance of the reader covers. */
export function readDeleted({ data }: Pick<Event, 'data'>) {
  return deletedSchema.parse(data);
}

const schemaChangedSchema = z.object({ changes: z.array(schemaChangeSchema), isStopped: z.boolean() });

/** Reads the facts of SCHEMA_CHANGED. */
export function readSchemaChanged({ data }: Pick<Event, 'data'>) {
  return schemaChangedSchema.parse(data);
}

const waitSchema = z.object({ expiresAt: z.iso.datetime().transform((text) => new Date(text)) });

/** Reads the further facts of DELETES_WAITING. */
export function readWait({ data }: Pick<Event, 'data'>) {
  return waitSchema.parse(data);
}

/** Reads the further facts of ENDED. */
export function readEnd({ data }: Pick<Event, 'data'>) {
  return endSchema.parse(data);
}

/** Describes an event in one line. */
export function describeEvent(event: Event): string {
  const { kind, byName, reason } = event;
  const source = event.sourceName ?? 'a source';
  const by = byName === null ? '' : ` by ${byName}`;
  const because = reason === null ? '' : `: ${reason}`;
  switch (kind) {
    case 'QUEUED':
      return `Queued${by}`;
    case 'STARTED':
      return 'Started';
    case 'WAITING':
      return reason ?? 'Waiting';
    case 'CONTINUED':
      return 'Continued';
    case 'CHECKPOINT':
      return describeCounts(event);
    case 'PAUSE_REQUESTED':
      return `Pause requested${by}`;
    case 'PAUSED':
      return 'Paused';
    case 'RESUMED':
      return `Resumed${by}`;
    case 'CANCEL_REQUESTED':
      return `Cancel requested${by}`;
    case 'ENDED':
      return `${ENDS[readEnd(event).state] ?? 'Ended'}${because || `: ${describeCounts(event)}`}`;
    case 'SOURCE_STARTED':
      return `Reading ${source}`;
    case 'SOURCE_PLANNED':
      return describePlan(source, event);
    case 'SOURCE_CHANGED':
      return `${source} changed while it was read, and is read again${because}`;
    case 'SOURCE_READ':
      return `Finished ${source}`;
    case 'SOURCE_FAILED':
      return `${source} could not be read to its end${because}`;
    case 'ITEMS_DELETED': {
      const { deleted } = readDeleted(event);
      const rows = deleted === 1 ? 'its row is' : 'their rows are';
      return `${describeNumber(deleted, 'item')} of ${source} deleted: ${rows} gone from the table`;
    }
    case 'DELETES_SKIPPED':
      return `No items of ${source} were deleted${because}`;
    case 'SCHEMA_CHANGED': {
      const { changes, isStopped } = readSchemaChanged(event);
      const schema = `The schema of ${source} has changed: ${describeSchemaChanges(changes)}`;
      return isStopped ? `${schema}. Nothing of it is read` : schema;
    }
    case 'SNAPSHOT_TAKEN':
      return `All rows of ${source} are read instead of its changes${because}`;
    case 'DELETES_WAITING': {
      const { deleted } = readDeleted(event);
      return `${describeNumber(deleted, 'item')} of ${source} ${deleted === 1 ? 'waits' : 'wait'} for an admin before ${deleted === 1 ? 'it is' : 'they are'} deleted${because}`;
    }
    case 'DELETES_APPROVED':
      return `${describeNumber(readDeleted(event).deleted, 'item')} of ${source} deleted, as approved${by}`;
    case 'DELETES_REJECTED':
      return `Deletes of ${describeNumber(readDeleted(event).deleted, 'item')} of ${source} rejected${by}`;
    case 'ATTEMPT_STARTED':
      return `Attempt ${readAttempt(event).attempt} at a partition of ${source}`;
    case 'ATTEMPT_LOST':
      return `Attempt ${readAttempt(event).attempt} at a partition of ${source} was lost with its worker`;
    case 'BATCH_RETRIED':
      return `Attempt ${readAttempt(event).attempt} at a batch of ${source} succeeded${because}`;
  }
}

const ENDS: Readonly<Partial<Record<JobState, string>>> = {
  COMPLETED: 'Completed',
  FAILED: 'Failed',
  CANCELLED: 'Cancelled',
};

function describePlan(source: string, event: Event): string {
  const { rows, partitions, isUnchanged } = readPlan(event);
  if (isUnchanged) return `${source} is unchanged, so none of its rows is read`;
  const share = partitions === 1 ? '' : `, read in ${partitions} partitions`;
  return rows === null ? `Planned ${source}${share}` : `${source} has ${describeNumber(rows, 'row')}${share}`;
}

function describeCounts(event: Event): string {
  const { success, errors, duplicates, deleted, inserted, updated } = readCounts(event);
  const parts = [`${describeNumber(success + errors + duplicates, 'row')} done`];
  if (inserted !== null && inserted > 0) parts.push(`${inserted.toLocaleString('en')} inserted`);
  if (updated !== null && updated > 0) parts.push(`${updated.toLocaleString('en')} updated`);
  if (errors > 0) parts.push(`${errors.toLocaleString('en')} failed`);
  if (duplicates > 0) parts.push(describeNumber(duplicates, 'duplicate'));
  if (deleted > 0) parts.push(`${describeNumber(deleted, 'item')} deleted`);
  return parts.join(', ');
}

function describeNumber(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}
