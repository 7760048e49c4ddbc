import assert from 'node:assert/strict';
import type { Catalog, CatalogUpload, RemovalOutcome, UploadOutcome } from '../catalog/catalog.ts';
import type { BladeItem } from '../data-types/blade-item.ts';
import type { JsonValue } from '../shared/json.ts';
import { createItem } from './catalog-item.ts';
import type { ConformanceTest } from './conformance-test.ts';

/** An item as a catalog holds it. */
export interface StoredItem extends Pick<BladeItem, 'dataType' | 'itemId' | 'classificationMarking'> {
  readonly data: JsonValue;
  readonly metadata: JsonValue;
}

/** A catalog for one test, empty at first. */
export interface TestedCatalog {
  readonly catalog: Catalog;
  /** Opens the same catalog once more, as another thread does. */
  openAgain(): Promise<Catalog>;
  /** Lists everything that the catalog holds, in any order. */
  listItems(): Promise<readonly StoredItem[]>;
  /** Removes what is left after the test, once the catalog is closed. */
  close?(): Promise<void>;
}

/**
 * Lists the tests of what every catalog promises.
 * @param open opens an empty catalog, once a test.
 */
export function catalogTests(open: () => Promise<TestedCatalog>): readonly ConformanceTest[] {
  const tests: ConformanceTest[] = [];
  const add = (name: string, run: (tested: TestedCatalog) => Promise<void>) =>
    void tests.push({
      name,
      async run() {
        const tested = await open();
        try {
          await run(tested);
        } finally {
          await tested.catalog.close();
          await tested.close?.();
        }
      },
    });

  add('each item is stored with its marking, its data and its metadata', async ({ catalog, listItems }) => {
    const items = [createItem('1', { tail: 'AF-1', hours: 2.5, nested: [null, true] }), createItem('2')];
    assert.deepEqual(await upload(catalog, 'k', items), [ACCEPTED, ACCEPTED]);
    assertItems(await listItems(), items);
  });

  add('an upload of nothing has no outcomes', async ({ catalog, listItems }) => {
    assert.deepEqual(await upload(catalog, 'k', []), []);
    assertItems(await listItems(), []);
  });

  add('an upload that is repeated under its key stores each item once', async ({ catalog, listItems }) => {
    const items = [createItem('1'), createItem('2')];
    await upload(catalog, 'k', items);
    assert.deepEqual(await upload(catalog, 'k', items), [ACCEPTED, ACCEPTED]);
    assertItems(await listItems(), items);
  });

  add('the last upload of an item counts', async ({ catalog, openAgain, listItems }) => {
    const last = { ...createItem('1', { version: 2 }), classificationMarking: 'TOP SECRET' } as const;
    await upload(catalog, 'k', [createItem('1', { version: 1 }), createItem('2')]);
    const other = await openAgain();
    assert.deepEqual(await upload(other, 'l', [last]), [ACCEPTED]);
    await other.close();
    assertItems(await listItems(), [last, createItem('2')]);
  });

  add('items of two data types are different items, whatever their ids', async ({ catalog, listItems }) => {
    const items = [createItem('1'), createItem('1', { fuel: true }, 'maintenance')];
    await upload(catalog, 'k', items);
    assertItems(await listItems(), items);
  });

  add('ids and texts are stored unchanged', async ({ catalog, listItems }) => {
    const items = ODD_TEXTS.map((text) => createItem(text, { text }));
    assert.deepEqual(await upload(catalog, 'k', items), Array(items.length).fill(ACCEPTED));
    assertItems(await listItems(), items);
  });

  add('a batch of 2,000 items has one outcome an item', async ({ catalog, listItems }) => {
    const items = Array.from({ length: 2_000 }, (_, index) => createItem(`S-${index}`, { index }));
    assert.deepEqual(await upload(catalog, 'k', items), Array(2_000).fill(ACCEPTED));
    assertItems(await listItems(), items);
  });

  add('several threads upload at once', async ({ catalog, openAgain, listItems }) => {
    const other = await openAgain();
    const createItems = (writer: string, batch: number) =>
      Array.from({ length: 50 }, (_, index) => createItem(`${writer}-${batch}-${index}`, { writer }));
    const batches = ['a', 'b'].flatMap((writer) => [0, 1, 2].map((batch) => ({ writer, batch })));
    await Promise.all(
      batches.map(({ writer, batch }) =>
        upload(writer === 'a' ? catalog : other, `${writer}-${batch}`, createItems(writer, batch)),
      ),
    );
    await other.close();
    assertItems(
      await listItems(),
      batches.flatMap(({ writer, batch }) => createItems(writer, batch)),
    );
  });

  add('an item may have a megabyte of data', async ({ catalog, listItems }) => {
    const large = createItem('1', { text: 'x'.repeat(1_000_000) });
    assert.deepEqual(await upload(catalog, 'k', [large]), [ACCEPTED]);
    assertItems(await listItems(), [large]);
  });

  add('with an aborted signal nothing is uploaded', async ({ catalog, listItems }) => {
    await assert.rejects(upload(catalog, 'k', [createItem('1')], AbortSignal.abort()));
    assertItems(await listItems(), []);
  });

  add('its generation, if it has one, stays the same while it keeps its uploads', async (tested) => {
    const { catalog, openAgain } = tested;
    const before = await catalog.readGeneration?.(new AbortController().signal);
    if (before == null) return;
    assert.match(before.id, /^[\x21-\x7e]{1,200}$/);
    await upload(catalog, 'k', [createItem('1')]);
    const other = await openAgain();
    await upload(other, 'l', [createItem('2')]);
    assert.deepEqual(await other.readGeneration?.(new AbortController().signal), before);
    await other.close();
    assert.deepEqual(await catalog.readGeneration?.(new AbortController().signal), before);
  });

  add('it finds the uploads that it does not hold, if it can', async ({ catalog, openAgain }) => {
    const { signal } = new AbortController();
    if (catalog.findMissingUploads === undefined) return;
    await upload(catalog, 'k', [createItem('1')]);
    assert.deepEqual(await catalog.findMissingUploads(['k', 'l', 'm'], signal), ['l', 'm']);
    const other = await openAgain();
    await upload(other, 'l', [createItem('2')]);
    await other.close();
    assert.deepEqual(await catalog.findMissingUploads(['k', 'l', 'm'], signal), ['m']);
    const many = Array.from({ length: 1_000 }, (_, index) => `${index}`);
    assert.deepEqual(await catalog.findMissingUploads(['k', ...many, 'l'], signal), many);
  });

  add('it compares items with what it holds, if it can', async ({ catalog, openAgain }) => {
    const { signal } = new AbortController();
    const held = ODD_TEXTS.map((text) => createItem(text, { text, nested: [1.5, null, { b: 1, a: 2 }] }));
    await upload(catalog, 'k', [...held, createItem('1', { version: 1 }), createItem('2')]);
    const other = await openAgain();
    await upload(other, 'l', [createItem('1', { version: 2 }), createItem('1', {}, 'maintenance')]);
    await other.close();
    const lookup = await catalog.openLookup?.('sortie', signal);
    if (lookup == null) return;
    const respelled = held.map((item) => ({ ...item, data: JSON.stringify(JSON.parse(item.data), null, 2) }));
    assert.deepEqual(await lookup.compare(respelled, signal), Array(held.length).fill('HELD'));
    const marked = { ...createItem('2'), classificationMarking: 'TOP SECRET' } as const;
    const described = { ...createItem('2'), metadata: '{"source":"another"}' };
    assert.deepEqual(
      await lookup.compare(
        [
          createItem('1', { version: 2 }),
          createItem('1', { version: 1 }),
          marked,
          described,
          createItem('3'),
        ],
        signal,
      ),
      ['HELD', 'DIFFERENT', 'DIFFERENT', 'DIFFERENT', 'MISSING'],
    );
    assert.deepEqual(await lookup.compare([], signal), []);
    await lookup.close();
  });

  const none = new AbortController().signal;

  add('it removes items, and nothing else, if it can', async ({ catalog, openAgain, listItems }) => {
    const removed = ODD_TEXTS.map((text) => createItem(text, { text }));
    const last = createItem('2', { version: 2 });
    const kept = [last, createItem('3'), createItem(ODD_TEXTS[3] ?? '', {}, 'maintenance')];
    await upload(catalog, 'k', [...removed, createItem('2', { version: 1 })]);
    await upload(catalog, 'l', [...removed.slice(0, 2), ...kept]);
    const outcomes = await catalog.remove?.(removed, none);
    if (outcomes == null) return;
    assert.deepEqual(outcomes, Array(removed.length).fill(REMOVED));
    assertItems(await listItems(), kept);
    const other = await openAgain();
    const lookup = await other.openLookup?.('sortie', none);
    const states = await lookup?.compare([...removed, ...kept.slice(0, 2)], none);
    await lookup?.close();
    if (states !== undefined)
      assert.deepEqual(states, [...Array(removed.length).fill('MISSING'), 'HELD', 'HELD']);
    // What is left of the uploads is not lost.
    if (other.findMissingUploads !== undefined)
      assert.deepEqual(await other.findMissingUploads(['k', 'l'], none), []);
    await other.close();
  });

  add('an item that is removed twice, or that it never had, is removed', async ({ catalog, listItems }) => {
    await upload(catalog, 'k', [createItem('1'), createItem('2')]);
    if ((await catalog.remove?.([createItem('1')], none)) == null) return;
    assert.deepEqual(await catalog.remove?.([createItem('1')], none), [REMOVED]);
    assert.deepEqual(
      await catalog.remove?.([createItem('3'), createItem('1', {}, 'deployment'), createItem('1')], none),
      [REMOVED, REMOVED, REMOVED],
    );
    assert.deepEqual(await catalog.remove?.([], none), []);
    assertItems(await listItems(), [createItem('2')]);
  });

  add('an item that was removed can be uploaded again', async ({ catalog, listItems }) => {
    await upload(catalog, 'k', [createItem('1', { version: 1 }), createItem('2')]);
    if ((await catalog.remove?.([createItem('1'), createItem('2')], none)) == null) return;
    assert.deepEqual(await upload(catalog, 'l', [createItem('1', { version: 2 })]), [ACCEPTED]);
    assertItems(await listItems(), [createItem('1', { version: 2 })]);
  });

  return tests;
}

const ACCEPTED: UploadOutcome = { status: 'ACCEPTED' };
const REMOVED: RemovalOutcome = { status: 'REMOVED' };

const ODD_TEXTS = [
  'a "b"; name="itemId"\r\n\r\n--c\nd\re\\',
  'äöü 飛行 🛩️ \u2028',
  '../../etc/passwd',
  'a/b?c#d%20e',
  ' spaces ',
  'null',
  'x'.repeat(512),
];

function upload(
  catalog: Catalog,
  key: string,
  items: CatalogUpload['items'],
  signal = new AbortController().signal,
): Promise<readonly UploadOutcome[]> {
  return catalog.upload({ key, items }, signal);
}

function assertItems(stored: readonly StoredItem[], expected: readonly BladeItem[]): void {
  const toEntry = ({ dataType, itemId, ...rest }: StoredItem) => [`${dataType}/${itemId}`, rest] as const;
  const items = expected.map(({ dataType, itemId, classificationMarking, data, metadata }) => ({
    ...{ dataType, itemId, classificationMarking },
    ...{ data: JSON.parse(data), metadata: JSON.parse(metadata) },
  }));
  assert.equal(stored.length, expected.length);
  assert.deepEqual(new Map(stored.map(toEntry)), new Map(items.map(toEntry)));
}
