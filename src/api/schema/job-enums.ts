import {
  ErrorStage,
  JobKind,
  JobOutcome,
  JobState,
  PartitionState,
  RetryMode,
  SyncType,
} from '../../database/generated/prisma/enums.ts';
import { builder } from './builder.ts';

export const JobKindEnum = builder.enumType('JobKind', {
  description: 'What a job does.',
  values: {
    [JobKind.SYNC]: { description: 'Copies whole tables, or their new rows.' },
    [JobKind.QUERY]: { description: 'Ingests the rows of one SELECT.' },
    [JobKind.REPAIR]: {
      description: 'Compares the catalog with the stored items, and restores what it lacks.',
    },
  } as const,
});

export const JobStateEnum = builder.enumType('JobState', {
  description:
    'State of a job: QUEUED, then RUNNING, then COMPLETED, FAILED or CANCELLED. CANCELLING precedes CANCELLED; a running job can also be PAUSING and PAUSED. COMPLETED, FAILED and CANCELLED are final.',
  values: {
    [JobState.QUEUED]: { description: 'Waiting for a worker.' },
    [JobState.RUNNING]: { description: 'A worker is running it.' },
    [JobState.PAUSING]: { description: 'About to pause; its workers are returning to their checkpoints.' },
    [JobState.PAUSED]: { description: 'Paused at its checkpoints, from which it can be resumed.' },
    [JobState.CANCELLING]: { description: 'About to stop; its workers are finishing what they have read.' },
    [JobState.COMPLETED]: {
      description:
        'Every row of every source was read. Items may have failed, even all of them: see its outcome.',
    },
    [JobState.FAILED]: {
      description:
        'A source could not be read to its end, or all attempts failed. Items stored by then stay.',
    },
    [JobState.CANCELLED]: { description: 'Cancelled before its end.' },
  } as const,
});

export const JobOutcomeEnum = builder.enumType('JobOutcome', {
  description:
    'What came of a job that has ended. Its state only says whether every source was read to its end. A query counts as one source.',
  values: {
    [JobOutcome.SUCCEEDED]: {
      description:
        'Everything is done: every source was read to its end, and no item failed. There may have been nothing to read.',
    },
    [JobOutcome.ITEMS_FAILED]: {
      description:
        'Every source was read to its end and some items are stored and uploaded, but others failed. Retry them with FAILED_ITEMS.',
    },
    [JobOutcome.SOURCES_FAILED]: {
      description:
        'At least one source could not be read to its end: see `failedSources`. What else could be read is done, but items may have failed, too. Retry these sources with FAILED_SOURCES. The job is FAILED.',
    },
    [JobOutcome.NOTHING_SUCCEEDED]: {
      description:
        'Nothing could be read, or nothing of it could be kept. The job is FAILED if a source failed, and COMPLETED if every row was read but every item failed.',
    },
  } as const,
});

export const RetryModeEnum = builder.enumType('RetryMode', {
  description: 'What of an ended job a retry takes up.',
  values: {
    [RetryMode.ALL]: {
      description: 'All that the job did: it is read again, and unchanged items are skipped.',
    },
    [RetryMode.FAILED_SOURCES]: {
      description: 'Only the sources that FAILED, each read again as a whole. Unchanged items are skipped.',
    },
    [RetryMode.FAILED_ITEMS]: {
      description: 'Only the items that failed, from their kept rows, without reading the warehouse.',
    },
  } as const,
});

export const SyncTypeEnum = builder.enumType('SyncType', {
  description: 'How much of its sources a sync reads.',
  values: {
    [SyncType.FULL]: {
      description:
        'Everything. Unchanged items are not written or uploaded again. Unchanged batches are only counted, if the warehouse can identify them.',
    },
    [SyncType.INCREMENTAL]: {
      description:
        "Rows from the source's watermark on, in its cursor column. Everything, if the source has no watermark or no cursor column.",
    },
  } as const,
});

export const PartitionStateEnum = builder.enumType('PartitionState', {
  description: 'State of a partition.',
  values: {
    [PartitionState.PENDING]: { description: 'Waiting for a worker thread.' },
    [PartitionState.RUNNING]: { description: 'A worker thread is running it.' },
    [PartitionState.COMPLETED]: { description: 'Read to its end.' },
    [PartitionState.FAILED]: { description: 'Could not be read to its end.' },
    [PartitionState.CANCELLED]: { description: 'Stopped with its job.' },
  } as const,
});

export const ErrorStageEnum = builder.enumType('ErrorStage', {
  description: 'Stage of the pipeline that failed.',
  values: {
    [ErrorStage.READ]: {
      description:
        'The source could not be read to its end, which is listed but not counted as an error. Or a line of its file is not a row, for example because it is truncated, which counts as one error.',
    },
    [ErrorStage.TRANSFORM]: { description: 'The row does not fit its data type.' },
    [ErrorStage.SAVE]: { description: 'The database refused the item.' },
    [ErrorStage.UPLOAD]: { description: 'The item is saved, but the catalog refused it.' },
  } as const,
});
