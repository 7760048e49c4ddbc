import { afterEach, describe, expect, test } from 'vitest';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { openHttpCatalog } from '../../src/catalog/http/catalog.ts';
import { type HttpCatalogOptions, httpCatalogDefaults } from '../../src/catalog/http/options.ts';
import type { BladeItem } from '../../src/data-types/blade-item.ts';
import { createItem } from '../../src/testing/catalog-item.ts';
import { startCatalogServer } from '../support/catalog-server.ts';
import { createLeapingClock } from './leaping-clock.ts';

const { signal } = new AbortController();
const token = 'a-token-that-nobody-may-see';
const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function startServer(...options: Parameters<typeof startCatalogServer>) {
  const server = await startCatalogServer(...options);
  opened.push(server);
  return server;
}

async function open({ url }: { url: string }, options: Partial<HttpCatalogOptions> = {}): Promise<Catalog> {
  const settings = { ...httpCatalogDefaults, url, token, ...options };
  const catalog = await openHttpCatalog(settings, createLeapingClock());
  opened.push(catalog);
  return catalog;
}

const itemsFrom = (first: number, count: number): BladeItem[] =>
  Array.from({ length: count }, (_, index) => createItem(String(first + index)));

const upload = (catalog: Catalog, items: readonly BladeItem[]) =>
  catalog.upload({ key: 'batch', items }, signal);

describe('a removal', () => {
  const remove = (catalog: Catalog, items: readonly BladeItem[], aborts = signal) =>
    catalog.remove?.(items, aborts);

  test('names the item in the query, with the token, however it is written', async () => {
    const server = await startServer({ path: '/api/v1/' });
    const catalog = await open(server);
    const odd = createItem('../a/b?c#d%20é &=+"');
    await upload(catalog, [odd, createItem('2')]);
    expect(await remove(catalog, [odd])).toEqual([{ status: 'REMOVED' }]);
    expect([...server.items.values()].map(({ itemId }) => itemId)).toEqual(['2']);
    expect(server.requests.at(-1)).toMatchObject({
      ...{ method: 'DELETE', path: '/api/v1/catalog/item', itemId: odd.itemId },
      authorization: `Bearer ${token}`,
    });
  });

  test.each([404, 405, 501] as const)('is not possible where the service answers %s', async (status) => {
    const server = await startServer();
    const catalog = await open(server);
    await upload(catalog, itemsFrom(1, 20));
    server.removeWith(status);
    const before = server.requests.length;
    expect(await remove(catalog, itemsFrom(1, 20))).toBeNull();
    expect(server.items.size).toBe(20);
    expect(server.requests.length - before).toBe(1);
  });

  test('takes a 404 without a lookup for a missing item only once another DELETE was accepted', async () => {
    const server = await startServer({ hasLookup: false, removal: '404_IF_MISSING' });
    const catalog = await open(server);
    await upload(catalog, itemsFrom(1, 2));
    expect(await remove(catalog, [createItem('3')])).toBeNull();
    expect(await remove(catalog, [createItem('1'), createItem('3')])).toEqual([
      { status: 'REMOVED' },
      { status: 'REMOVED' },
    ]);
    expect(await remove(catalog, [createItem('3')])).toEqual([{ status: 'REMOVED' }]);
  });

  test('is refused in the words of the service, and unknown if it does not answer', async () => {
    const server = await startServer();
    const catalog = await open(server, { attempts: 2, maxOutageMs: 1_000 });
    await upload(catalog, itemsFrom(1, 2));
    server.removeWith(403);
    expect(await remove(catalog, itemsFrom(1, 2))).toEqual(
      Array(2).fill({ status: 'REFUSED', message: expect.stringContaining('answered 403') }),
    );
    server.removeWith(503);
    expect(await remove(catalog, itemsFrom(1, 1))).toEqual([
      { status: 'UNKNOWN', message: expect.stringContaining('answered 503') },
    ]);
    await server.goDown();
    expect(await remove(catalog, itemsFrom(1, 1))).toEqual([
      { status: 'UNKNOWN', message: expect.stringContaining('unavailable') },
    ]);
    await expect(remove(catalog, itemsFrom(1, 1), AbortSignal.abort())).rejects.toThrow();
  });
});
