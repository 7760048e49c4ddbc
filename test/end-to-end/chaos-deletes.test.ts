import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFailed, vi } from 'vitest';
import type { DeletePolicy } from '../generated/graphql.ts';
import { type CatalogServer, startCatalogServer } from '../support/catalog-server.ts';
import { createChaosChances } from '../support/chance.ts';
import { type Cluster, replaceWorker, sortieIds } from '../support/cluster.ts';
import { letTimeFly } from '../support/let-time-fly.ts';
import { describeOnServer, test } from '../support/on-cluster.ts';
import type { Program } from '../support/program.ts';
import { addSource } from '../support/tables.ts';

const ROWS = 2_400;
const ROUNDS = 4;

const waitFor = <Result>(check: () => Result | Promise<Result>, timeout = 60_000) =>
  vi.waitFor(check, { timeout, interval: 50 });

async function listItems({ pool }: Cluster, condition: string): Promise<string[]> {
  const { rows } = await pool.query<{ itemId: string }>(
    `select item_id as "itemId" from blade_item where ${condition} order by item_id`,
  );
  return rows.map(({ itemId }) => itemId);
}

const heldIds = ({ items }: CatalogServer) => [...items.values()].map(({ itemId }) => itemId).sort();

/** Lets what waits for its next attempt be due, and what a dead process had claimed be free. */
async function hurryRemovals({ pool }: Cluster): Promise<void> {
  await pool.query('update item_removal set retry_at = blade_now()');
  await pool.query(
    `update pgboss.job set heartbeat_on = now() - interval '1 minute'
     where name = 'item-removals' and state = 'active' and started_on < now() - interval '10 seconds'`,
  );
}

const seeds = createChaosChances();

describeOnServer('workers that are killed while rows vanish and come back', () => {
  test.for(seeds)(
    'delete each item once, forget none, and leave the catalog as the table is [CHAOS_SEED=$seed]',
    { timeout: 400_000 },
    async (chance, { createCluster, open }) => {
      const catalog = await open(startCatalogServer());
      const cluster = await createCluster(ROWS, { CATALOG_URL: catalog.url });
      const api = await cluster.start('api');
      const policy = chance.oneOf<DeletePolicy>(['MARK', 'REMOVE', 'REMOVE']);
      await addSource(api, { deletePolicy: policy, maxDeletePercent: 100 });
      const options = { batchSize: 60 + chance.below(100), partitionRows: chance.oneOf([1_000, 1_000_000]) };
      const story = [`${policy} ${JSON.stringify(options)}`];
      const tell = () => void process.stdout.write(`CHAOS_SEED=${chance.seed}: ${story.join('; ')}\n`);
      onTestFailed(tell);
      catalog.answerWith(() => ({ status: 201, after: 3 }));
      catalog.removeWith(() => delay(chance.below(20)));
      const workers = await Promise.all([cluster.start('worker'), cluster.start('worker')]);
      const dead: Program[] = [];
      letTimeFly(cluster, dead);

      for (let round = 0; round < ROUNDS; round++) {
        // Each row is there or not, by a pattern that is another one in each round.
        const [step, rest] = [2 + chance.below(4), chance.below(2)];
        const there = sortieIds(ROWS).filter((_id, row) => round === 0 || row % step !== rest);
        await cluster.writeRows(
          `select 'S-' || lpad(i::varchar, 5, '0') as item_id, ${chance.below(2)} as edition
           from range(1, ${ROWS + 1}) as r(i) where ${round} = 0 or (i - 1) % ${step} <> ${rest}`,
        );
        const before = await listItems(cluster, 'deleted_at is null');
        const gone = before.filter((id) => !there.includes(id));
        story.push(`round ${round}: ${there.length} rows, ${gone.length} gone`);
        const { id } = await api.client.startSync({
          syncType: 'FULL',
          options: { ...options, maxAttempts: 20 },
        });
        const ended = api.client.waitForEnd(id);
        for (let blow = chance.below(3); blow > 0; blow--) {
          await delay(chance.below(1_500));
          await replaceWorker(cluster, { workers, dead, index: chance.below(workers.length) });
          story.push('killed one');
        }
        const job = await ended;
        expect(job).toMatchObject({
          state: 'COMPLETED',
          progress: { successCount: there.length, errorCount: 0, deletedCount: gone.length },
        });
        expect(await listItems(cluster, 'deleted_at is null')).toEqual(there);
        if (round % 2 === 1) continue;
        await delay(chance.below(1_000));
        await replaceWorker(cluster, { workers, dead, index: 0 });
        story.push('killed one after the sync');
      }

      const live = await listItems(cluster, 'deleted_at is null');
      if (policy === 'REMOVE') {
        await waitFor(async () => {
          await hurryRemovals(cluster);
          const { rows } = await cluster.pool.query('select count(*)::int as left from item_removal');
          expect(rows).toEqual([{ left: 0 }]);
        }, 200_000);
        expect(await listItems(cluster, 'true')).toEqual(live);
        await waitFor(() => expect(heldIds(catalog)).toEqual(live));
      } else {
        expect(heldIds(catalog)).toEqual(await listItems(cluster, 'true'));
      }
      tell();
    },
  );
});
