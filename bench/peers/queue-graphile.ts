// graphile-worker on the same PostgreSQL, with its defaults: it listens, and each job is its own transaction.
import { once } from 'node:events';
import { Logger, makeWorkerUtils, run } from 'graphile-worker';
import { answerParent } from './answer.ts';
import { createQueueMeter } from './queue-meter.ts';

const connectionString = process.argv[2] ?? '';
const logger = new Logger(() => () => {});
const utils = await makeWorkerUtils({ connectionString, logger, maxPoolSize: 8 });
await utils.migrate();
const meter = createQueueMeter((id) => utils.addJob('measured', { id }));
const runner = await run({
  connectionString,
  logger,
  concurrency: 10,
  taskList: {
    measured: async (payload) => meter.started((payload as { id: number }).id),
  },
});
runner.events.on('job:complete', ({ job }) => meter.ended((job.payload as { id: number }).id));
await once(runner.events, 'worker:getJob:empty');
answerParent(meter.answer);
