// BullMQ on Redis as it is on this machine; the answer says whether Redis writes anything to a disk.
import { Queue, QueueEvents, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { answerParent } from './answer.ts';
import { createQueueMeter } from './queue-meter.ts';

const connection = { host: '127.0.0.1', port: 6379 };
const name = `blade-bench-${process.pid}`;
const redis = new Redis({ ...connection, maxRetriesPerRequest: null });
const [, isAppendOnly] = (await redis.config('GET', 'appendonly')) as string[];
const queue = new Queue(name, { connection });
await queue.waitUntilReady();
const meter = createQueueMeter((id) => queue.add('measured', { id }));
const worker = new Worker<{ id: number }>(name, async ({ data }) => meter.started(data.id), {
  connection,
  concurrency: 10,
});
worker.on('completed', ({ data }) => meter.ended(data.id));
await worker.waitUntilReady();
const events = new QueueEvents(name, { connection });
await events.waitUntilReady();
answerParent(async (question) => {
  if (question.end === true) {
    await worker.close();
    await queue.obliterate({ force: true });
    return {};
  }
  return { ...(await meter.answer(question)), isAppendOnly };
});
