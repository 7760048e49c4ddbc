import type { Job, PrismaClient } from '../../database/generated/prisma/client.ts';
import { readCounts } from '../../jobs/events/event-facts.ts';
import { createLoader } from '../../shared/loader.ts';
import { builder } from './builder.ts';
import { JobNode } from './job.ts';
import { PROCESSED_ITEMS } from './job-progress.ts';
import { declareColumns } from './read-columns.ts';

/** How far a job had come. */
interface Point {
  readonly elapsedMs: number;
  readonly processedItems: number;
}

interface ThroughputPoint extends Point {
  readonly itemsPerSecond: number;
}

/** The most points of a job. */
const MOST_POINTS = 200;

const ThroughputPointType = builder.objectRef<ThroughputPoint>('ThroughputPoint').implement({
  description: 'How far a job had come at some moment, counting the rows that your clearance covers.',
  fields: (t) => ({
    elapsedSeconds: t.float({
      description: 'Run time of the job until then, in seconds.',
      resolve: ({ elapsedMs }) => elapsedMs / 1_000,
    }),
    processedItems: t.expose('processedItems', PROCESSED_ITEMS),
    itemsPerSecond: t.exposeFloat('itemsPerSecond', {
      description: 'Rate since the last point, or since the beginning.',
    }),
  }),
});

builder.prismaObjectFields(JobNode, (t) => ({
  throughput: t.field({
    type: [ThroughputPointType],
    description:
      'How fast the job has been, from its log: at most 200 points, the oldest first, farther apart the longer it runs. Empty within its first second.',
    // Many events are read for a few points.
    complexity: 50,
    extensions: declareColumns<Job>(),
    resolve: async ({ id }, _args, { prisma }) =>
      addRates(thin((await loadPoints(prisma, id)).get(id) ?? [])),
  }),
}));

const loadPoints = createLoader(async (prisma: PrismaClient, jobIds: readonly string[]) => {
  const events = await prisma.jobEvent.findMany({
    where: { jobId: { in: [...new Set(jobIds)] }, kind: { in: ['CHECKPOINT', 'ENDED'] } },
    orderBy: { id: 'asc' },
    select: { jobId: true, data: true },
  });
  const points = new Map<string, Point[]>();
  for (const { jobId, data } of events) {
    const { elapsedMs, success, errors, duplicates } = readCounts({ data });
    const ofJob = points.get(jobId) ?? [];
    points.set(jobId, ofJob);
    ofJob.push({ elapsedMs, processedItems: success + errors + duplicates });
  }
  return points;
});

/** Leaves out every other point until they are few enough, and never the last one. */
export function thin<Value>(points: readonly Value[]): readonly Value[] {
  if (points.length <= MOST_POINTS) return points;
  return thin(points.filter((_point, index) => (points.length - 1 - index) % 2 === 0));
}

/** Adds the rate since the point before, and leaves out one of the same moment. */
function addRates(points: readonly Point[]): ThroughputPoint[] {
  let before: Point = { elapsedMs: 0, processedItems: 0 };
  return points.flatMap((point) => {
    const passedMs = point.elapsedMs - before.elapsedMs;
    if (passedMs <= 0) return [];
    const itemsPerSecond = ((point.processedItems - before.processedItems) / passedMs) * 1_000;
    before = point;
    return [{ ...point, itemsPerSecond }];
  });
}
