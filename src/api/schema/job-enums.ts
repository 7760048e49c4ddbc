import {
  ErrorStage,
  JobKind,
  JobState,
  PartitionState,
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
        'Every row of every source was read. Individual items may have failed: see its error count.',
    },
    [JobState.FAILED]: {
      description:
        'A source could not be read to its end, or all attempts failed. Items stored by then stay.',
    },
    [JobState.CANCELLED]: { description: 'Cancelled before its end.' },
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
        "Rows past the source's watermark in its cursor column. Everything, if the source has no watermark or no cursor column.",
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
