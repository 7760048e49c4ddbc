import { availableParallelism } from 'node:os';
import { defineSettings, wholeNumber } from '../shared/settings.ts';

export const threadSettings = defineSettings({
  variables: {
    BLADE_WORKER_THREADS: wholeNumber(1, 64)
      .default(Math.max(2, availableParallelism() - 1))
      .describe('Partitions that run at once on this node.'),
    BLADE_WATERMARK_AHEAD_HOURS: wholeNumber(0, 876_000)
      .default(24)
      .describe('How far a watermark may be ahead of the clock, in hours; later times do not move it.'),
  },
  toSettings: (values) => ({
    /** Partitions that run at once on this node, each in its own thread. */
    workerThreads: values.BLADE_WORKER_THREADS,
    /** How far a watermark may be ahead of the clock, in milliseconds. */
    watermarkAheadMs: values.BLADE_WATERMARK_AHEAD_HOURS * 3_600_000,
  }),
});
