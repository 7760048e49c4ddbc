import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { openHttpCatalog } from '../src/catalog/http/catalog.ts';
import { createItemForm } from '../src/catalog/http/item-form.ts';
import { httpCatalogDefaults } from '../src/catalog/http/options.ts';
import type { BladeItem } from '../src/data-types/blade-item.ts';
import { logProgress, type MeasureOptions, type Result, ratioAtLeast } from './support/measure.ts';
import { median } from './support/report.ts';
import { createSorties, readItems } from './support/sorties.ts';

// How many items a second are uploaded to a catalog service: by the HTTP catalog, which makes each form, keeps to limits,
// judges each answer and tries again, beside undici posting bodies that have been made beforehand, as many at once.

export async function measure({ quick }: MeasureOptions): Promise<readonly Result[]> {
  const count = quick ? 1_000 : 10_000;
  const folder = await mkdtemp(join(tmpdir(), 'blade-bench-'));
  const sink = fork(new URL('./support/sink.ts', import.meta.url));
  try {
    const [url] = (await once(sink, 'message')) as [string];
    await createSorties(folder, count);
    const items: BladeItem[] = [];
    for await (const batch of readItems(folder, 2_000)) items.push(...batch);
    const rates = { product: [] as number[], undici: [] as number[] };
    for (let round = 0; round <= (quick ? 1 : 5); round++) {
      const product = await measureCatalog(url, items);
      const undici = await measureUndici(url, items);
      logProgress(`  catalog ${Math.round(product)}, undici ${Math.round(undici)} uploads/s`);
      // The first is for warming up.
      if (round === 0) continue;
      rates.product.push(product);
      rates.undici.push(undici);
    }
    return [
      {
        measure: 'uploads to an HTTP catalog',
        unit: 'items/s',
        value: median(rates.product),
        peer: { name: 'undici, bodies prepared', value: median(rates.undici) },
        goal: ratioAtLeast(0.8),
      },
    ];
  } finally {
    sink.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureCatalog(url: string, items: readonly BladeItem[]): Promise<number> {
  const catalog = await openHttpCatalog({ ...httpCatalogDefaults, url, token: null });
  const { signal } = new AbortController();
  const start = performance.now();
  for (let at = 0; at < items.length; at += 1_000) {
    const outcomes = await catalog.upload({ key: `bench-${at}`, items: items.slice(at, at + 1_000) }, signal);
    const refused = outcomes.find(({ status }) => status !== 'ACCEPTED');
    if (refused !== undefined) throw new Error(JSON.stringify(refused));
  }
  const seconds = (performance.now() - start) / 1000;
  await catalog.close();
  return items.length / seconds;
}

async function measureUndici(url: string, items: readonly BladeItem[]): Promise<number> {
  const form = createItemForm();
  const bodies = items.map((item) => form.createBody(item));
  const dispatcher = new Agent({ connections: httpCatalogDefaults.concurrency });
  const headers = { 'content-type': form.contentType };
  let next = 0;
  const start = performance.now();
  await Promise.all(
    Array.from({ length: httpCatalogDefaults.concurrency }, async () => {
      for (let body = bodies[next++]; body !== undefined; body = bodies[next++]) {
        const answer = await request(`${url}/catalog/item`, { method: 'POST', headers, body, dispatcher });
        await answer.body.dump();
        if (answer.statusCode !== 201) throw new Error(`the sink answered ${answer.statusCode}`);
      }
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  await dispatcher.close();
  return bodies.length / seconds;
}
