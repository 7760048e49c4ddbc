import type { Logger } from 'pino';
import type { DiskSpace } from '../../health/disk-space.ts';
import type { PartitionOutcome } from '../../ingestion/partition-task.ts';
import { isDiskFull } from '../../shared/full-disk.ts';

/** Recognizes attempts that a full disk interrupts, and lets them wait for space. */
export interface FullDiskGuard {
  /** Describes the full disk that explains an error; null if none does. */
  find(error: unknown): Promise<string | null>;
  /** Blames a full disk for an outcome that it explains. */
  blame(outcome: PartitionOutcome): Promise<PartitionOutcome>;
  /** Waits until there is space, the lease is lost or the worker stops. */
  wait(partitionId: string, problem: string, lost: AbortSignal | null): Promise<void>;
  /** Whether a full disk has interrupted the partition, which has not got further since. */
  hasInterrupted(partitionId: string): boolean;
  /** Forgets that a full disk has interrupted the partition. */
  forget(partitionId: string): void;
}

/** @param stopping aborted when the worker stops. */
export function createFullDiskGuard(diskSpace: DiskSpace, stopping: AbortSignal, log: Logger): FullDiskGuard {
  const interrupted = new Set<string>();

  async function find(error: unknown): Promise<string | null> {
    return isDiskFull(error) ? 'the disk of the database is full' : diskSpace.findFull();
  }

  /** An embedded database without space ends, so that the thread knows only that it is gone. */
  async function blame(outcome: PartitionOutcome): Promise<PartitionOutcome> {
    const problem = outcome.status === 'INTERRUPTED' ? await diskSpace.findFull() : null;
    return problem === null ? outcome : { status: 'NO_SPACE', message: problem };
  }

  async function wait(partitionId: string, problem: string, lost: AbortSignal | null): Promise<void> {
    interrupted.add(partitionId);
    if (!diskSpace.isWaiting(partitionId)) log.warn({ partitionId }, `waiting for space: ${problem}`);
    const signals = lost === null ? [stopping] : [stopping, lost];
    await diskSpace.wait(partitionId, problem, AbortSignal.any(signals));
  }

  return {
    ...{ find, blame, wait },
    hasInterrupted: (partitionId) => interrupted.has(partitionId),
    forget(partitionId) {
      interrupted.delete(partitionId);
      diskSpace.forget(partitionId);
    },
  };
}
