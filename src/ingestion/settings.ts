import { availableParallelism } from 'node:os';
import { defineSettings, wholeNumber } from '../shared/settings.ts';

export const ingestionSettings = defineSettings({
  variables: {
    BLADE_WORKER_THREADS: wholeNumber(1, 64)
      .default(Math.max(2, availableParallelism() - 1))
      .describe('Partitions that run at once on this node.'),
  },
  toSettings: (values) => ({
    /** Partitions that run at once on this node, each in its own thread. */
    workerThreads: values.BLADE_WORKER_THREADS,
  }),
});
