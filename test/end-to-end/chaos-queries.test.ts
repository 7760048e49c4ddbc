import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFailed, vi } from 'vitest';
import { startCatalogServer } from '../support/catalog-server.ts';
import { createChaosChances } from '../support/chance.ts';
import { type Cluster, replaceWorker, sortieIds } from '../support/cluster.ts';
import { letTimeFly } from '../support/let-time-fly.ts';
import { describeOnServer, test } from '../support/on-cluster.ts';
import { CancelJob, JobById, PauseJob, ResumeJob } from '../support/operations.ts';
import type { Program } from '../support/program.ts';

const JOBS = 40;

const seeds = createChaosChances();

/** What the database holds of the items with these ids. */
async function findItems({ pool }: Cluster, ids: readonly string[]) {
  const { rows } = await pool.query<{ itemId: string; isUploaded: boolean; jobId: string }>(
    `select item_id as "itemId", job_id as "jobId", coalesce(b.uploaded_at is not null, false) as "isUploaded"
     from blade_item i left join upload_batch b on b.id = i.upload_batch_id where item_id = any($1) order by item_id`,
    [ids],
  );
  return rows;
}

describeOnServer(
  'small query jobs whose workers are killed, and that people cancel, pause and resume',
  () => {
    test.for(seeds)(
      'each end once, and say what has happened to each of their rows [CHAOS_SEED=$seed]',
      { timeout: 400_000 },
      async (chance, { createCluster, open }) => {
        const catalog = await open(startCatalogServer());
        catalog.answerWith(() => ({ status: 201, after: chance.below(30) }));
        const sizes = Array.from({ length: JOBS }, () => chance.oneOf([1, 1, 1, 3, 40, 150]));
        const all = sortieIds(sizes.reduce((sum, size) => sum + size, 0));
        const cluster = await createCluster(all.length, { CATALOG_URL: catalog.url });
        const api = await cluster.start('api');
        const workers = [await cluster.start('worker'), await cluster.start('worker')];
        const dead: Program[] = [];
        letTimeFly(cluster, dead);
        const story: string[] = [];
        const tell = () => void process.stdout.write(`CHAOS_SEED=${chance.seed}: ${story.join('; ')}\n`);
        onTestFailed(tell);

        const unasked = [...all];
        const left = sizes.map((size) => unasked.splice(0, size));
        const cancelled = new Set<string>();
        const started: { id: string; ids: readonly string[] }[] = [];

        async function meddle(id: string): Promise<void> {
          await delay(chance.below(400));
          switch (chance.below(6)) {
            case 0:
              await api.client.send(CancelJob, { input: { id } });
              cancelled.add(id);
              return;
            case 1:
              await api.client.send(PauseJob, { input: { id } });
              await delay(chance.below(300));
              await api.client.send(ResumeJob, { input: { id } });
              // A resume is refused while the job is still pausing.
              await vi.waitFor(
                async () => {
                  const { job } = await api.client.send(JobById, { id });
                  if (job?.state !== 'PAUSED' && job?.state !== 'PAUSING') return;
                  await api.client.send(ResumeJob, { input: { id } });
                  throw new Error('still paused');
                },
                { timeout: 60_000, interval: 100 },
              );
          }
        }

        const call = async () => {
          for (let ids = left.shift(); ids !== undefined; ids = left.shift()) {
            const list = ids.map((id) => `'${id}'`).join(', ');
            const { id } = await api.client.startQueryJob({
              dataType: 'sortie',
              sqlQuery: `SELECT * FROM blade.field.sortie WHERE item_id IN (${list})`,
              options: { batchSize: 20, maxAttempts: 20 },
            });
            started.push({ id, ids });
            await Promise.all([api.client.waitForEnd(id), meddle(id)]);
          }
        };
        let isOver = false;
        const kill = async () => {
          while (!isOver) {
            await delay(500 + chance.below(6_000));
            await replaceWorker(cluster, { workers, dead, index: chance.below(workers.length) });
            story.push('killed one');
          }
        };
        const killing = kill();
        await Promise.all(Array.from({ length: 6 }, call));
        isOver = true;
        await killing;

        const ends: Record<string, number> = {};
        for (const { id, ids } of started) {
          const { job } = await api.client.send(JobById, { id });
          const items = await findItems(cluster, ids);
          const uploaded = items.filter(({ isUploaded }) => isUploaded).length;
          ends[`${job?.state}`] = (ends[`${job?.state}`] ?? 0) + 1;
          expect(job).toMatchObject({
            state: cancelled.has(id) ? expect.stringMatching(/^(CANCELLED|COMPLETED)$/) : 'COMPLETED',
            progress: { successCount: uploaded, insertedCount: uploaded, updatedCount: 0, errorCount: 0 },
          });
          for (const { itemId, isUploaded } of items)
            if (isUploaded) expect(catalog.items.get(`BLADE:sortie/${itemId}`)).toMatchObject({ itemId });
          if (job?.state !== 'COMPLETED') continue;
          expect(items.map(({ itemId }) => itemId)).toEqual(ids);
          expect(job).toMatchObject({
            outcome: 'SUCCEEDED',
            progress: {
              percent: 100,
              totalItems: ids.length,
              processedItems: ids.length,
              successCount: ids.length,
            },
            partitions: { nodes: [{ state: 'COMPLETED', readItems: ids.length }] },
          });
        }
        const { rows: log } = await cluster.pool.query(
          `select count(*)::int as ends, count(distinct job_id)::int as jobs from job_event where kind = 'ENDED'`,
        );
        expect(log).toEqual([{ ends: JOBS, jobs: JOBS }]);
        const { rows: waiting } = await cluster.pool.query(
          `select name, state::text from pgboss.job where name like 'partitions%' and state in ('created', 'retry')`,
        );
        expect(waiting).toEqual([]);
        story.push(JSON.stringify(ends));
        tell();
      },
    );
  },
);
