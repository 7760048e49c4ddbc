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
    [JobKind.SYNC]: { description: 'Copies whole tables, or what is new in them.' },
    [JobKind.QUERY]: { description: 'Ingests the rows of one SELECT.' },
  } as const,
});

export const JobStateEnum = builder.enumType('JobState', {
  description:
    'Where a job is: QUEUED, then RUNNING, then COMPLETED, FAILED or CANCELLED, with CANCELLING between RUNNING and CANCELLED, and PAUSING and PAUSED beside RUNNING. COMPLETED, FAILED and CANCELLED never change.',
  values: {
    [JobState.QUEUED]: { description: 'Waits for a worker.' },
    [JobState.RUNNING]: { description: 'A worker is at it.' },
    [JobState.PAUSING]: { description: 'Told to pause; its workers are going back to their checkpoints.' },
    [JobState.PAUSED]: { description: 'Keeps its checkpoints, and goes on from them when it is resumed.' },
    [JobState.CANCELLING]: { description: 'Told to stop; its workers are finishing what they have read.' },
    [JobState.COMPLETED]: {
      description: 'Every row of every source was read. Single items may have failed: see its error count.',
    },
    [JobState.FAILED]: {
      description:
        'A source could not be read to its end, or its attempts kept failing. What was read is kept.',
    },
    [JobState.CANCELLED]: { description: 'Ended before its time because it was told to.' },
  } as const,
});

export const SyncTypeEnum = builder.enumType('SyncType', {
  description: 'How much of its sources a sync reads.',
  values: {
    [SyncType.FULL]: {
      description:
        'Everything. Items that have not changed are not written or uploaded again; where the warehouse tells that a batch has the rows that it had, and all are stored as they were, they are only counted.',
    },
    [SyncType.INCREMENTAL]: {
      description:
        "What is past the source's watermark, by its cursor column. Without a watermark, or without a cursor column, everything.",
    },
  } as const,
});

export const PartitionStateEnum = builder.enumType('PartitionState', {
  description: 'Where a partition of a job is.',
  values: {
    [PartitionState.PENDING]: { description: 'Waits for a worker thread.' },
    [PartitionState.RUNNING]: { description: 'A worker thread is at it.' },
    [PartitionState.COMPLETED]: { description: 'Read to its end.' },
    [PartitionState.FAILED]: { description: 'Could not be read to its end.' },
    [PartitionState.CANCELLED]: { description: 'Stopped with its job.' },
  } as const,
});

export const ErrorStageEnum = builder.enumType('ErrorStage', {
  description: 'Where in the pipeline something went wrong.',
  values: {
    [ErrorStage.READ]: {
      description:
        'The source could not be read to its end, which is listed but not counted as an error; or a line of its file is not a row, such as a truncated one, which counts as one error.',
    },
    [ErrorStage.TRANSFORM]: { description: 'The row does not fit its data type.' },
    [ErrorStage.SAVE]: { description: 'The database refused the item.' },
    [ErrorStage.UPLOAD]: { description: 'The item is saved, and the catalog refused it.' },
  } as const,
});
