import { afterAll, beforeAll, expect, vi } from 'vitest';
import { type Marking, parseMarking, toLevel } from '../../src/data-types/marking.ts';
import { catalogItems } from '../support/catalog-items.ts';
import { type Chance, createChance } from '../support/chance.ts';
import { fuzzRuns, fuzzSeed } from '../support/fuzz-runs.ts';
import { toMarkingName } from '../support/marking-name.ts';
import { test } from '../support/on-every-database.ts';
import { LowerItemMarking, UpdateDataSource } from '../support/operations.ts';
import { addSource, storedItems, writeRows } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

let application: TestApplication;

beforeAll(async () => {
  application = await startTestApplication();
});

afterAll(() => application.close());

const DEFAULT: Marking = 'CONFIDENTIAL';
const IDS = ['S-0', 'S-1', 'S-2', 'S-3', 'S-4'] as const;
const TABLES = ['first', 'second'] as const;
type Table = (typeof TABLES)[number];

/** How a row may write a marking, or have none. */
const WRITTEN = [
  'u',
  ' Unclassified',
  'CUI',
  'c',
  'CONFIDENTIAL ',
  'secret',
  'S',
  'ts',
  ' top secret ',
  '',
  ' ',
  null,
] as const;
const RAISED = ['CONFIDENTIAL', 'S', 'SECRET', 'TS', 'TOP SECRET'] as const;

interface Row {
  readonly item_id: string;
  readonly classification_marking: string | null;
  /** By which INCREMENTAL syncs tell new rows. */
  readonly seq: number;
}

/** What the rules say of one item, in as few words as they can be said. */
interface Modelled {
  /** What each source states; nothing for one that has not brought it in. */
  readonly stated: Partial<Record<Table, Marking>>;
  floor: Marking | null;
}

const higher = (one: Marking, other: Marking | null | undefined) =>
  other != null && toLevel(other) > toLevel(one) ? other : one;

function predictMarking({ stated, floor }: Modelled): Marking {
  const all = Object.values(stated);
  const [first = DEFAULT] = all;
  return higher(all.reduce(higher, first), floor);
}

const levelOfMarking = (marking: string) => toLevel(parseMarking(marking) ?? 'TOP SECRET');

function createWorld(chance: Chance) {
  const rows: Record<Table, Map<string, Row>> = { first: new Map(), second: new Map() };
  const watermarks: Record<Table, number> = { first: -1, second: -1 };
  const items = new Map<string, Modelled>();
  const sourceIds = new Map<Table, string>();
  let sequence = 0;
  let names = 0;

  const modelled = (id: string): Modelled => {
    const item = items.get(id) ?? { stated: {}, floor: null };
    items.set(id, item);
    return item;
  };
  const someIds = () => IDS.filter(() => chance.below(2) === 0);
  const statedBy = ({ classification_marking: text }: Row) =>
    text === null || text.trim() === '' ? null : (parseMarking(text) ?? null);

  const write = (table: Table) =>
    writeRows(application.warehouseFolder, table, [
      // A table of nothing but rows without a marking has no such column.
      ...[...rows[table].values()].map(({ classification_marking: marking, ...row }) =>
        marking === null ? row : { ...row, classification_marking: marking },
      ),
    ]);

  async function open(): Promise<void> {
    for (const table of TABLES) {
      rows[table].set('S-0', { item_id: 'S-0', classification_marking: 'SECRET', seq: sequence++ });
      await write(table);
      const source = { name: table, dataType: 'sortie', tableName: table, cursorColumn: 'seq' };
      sourceIds.set(table, await addSource(application, source));
    }
  }

  async function changeRows(): Promise<string> {
    const table = chance.oneOf(TABLES);
    for (const id of someIds()) {
      rows[table].set(id, {
        item_id: id,
        classification_marking: chance.oneOf(WRITTEN),
        seq: sequence++,
      });
    }
    await write(table);
    return `change ${table}`;
  }

  async function sync(): Promise<string> {
    const syncType = chance.oneOf(['FULL', 'INCREMENTAL'] as const);
    const { client } = application;
    const job = await client.waitForEnd((await client.startSync({ syncType, options: { batchSize: 2 } })).id);
    expect(job).toMatchObject({ state: 'COMPLETED', progress: { errorCount: 0 } });
    for (const table of TABLES) {
      for (const row of rows[table].values()) {
        if (syncType === 'INCREMENTAL' && row.seq < watermarks[table]) continue;
        const { stated } = modelled(row.item_id);
        // Without a marking the default counts, and no less than what the source stated before.
        stated[table] = statedBy(row) ?? higher(DEFAULT, stated[table]);
      }
      watermarks[table] = Math.max(watermarks[table], ...[...rows[table].values()].map(({ seq }) => seq));
    }
    return syncType;
  }

  async function query(): Promise<string> {
    const table = chance.oneOf(TABLES);
    const ids = someIds().filter((id) => rows[table].has(id));
    if (ids.length === 0) return 'nothing';
    const classification = chance.oneOf([null, ...RAISED]);
    const { client } = application;
    const list = ids.map((id) => `'${id}'`).join(', ');
    const { id } = await client.startQueryJob({
      dataType: 'sortie',
      sqlQuery: `SELECT * FROM blade.field.${table} WHERE item_id IN (${list})`,
      catalogConfig: {
        classification: classification && toMarkingName(classification),
        metadata: { [`of_${chance.below(3)}`]: sequence },
      },
    });
    expect(await client.waitForEnd(id)).toMatchObject({
      state: 'COMPLETED',
      progress: { successCount: ids.length },
    });
    for (const itemId of ids) {
      const row = rows[table].get(itemId);
      const item = modelled(itemId);
      const raised = higher(higher(DEFAULT, classification), row === undefined ? null : statedBy(row));
      item.floor = higher(raised, item.floor);
    }
    return `query ${classification} ${list} of ${table}`;
  }

  async function lower(): Promise<string> {
    const raised = [...items].filter(([, { floor }]) => floor !== null);
    const [itemId, item] = raised[chance.below(Math.max(1, raised.length))] ?? [];
    if (itemId === undefined || item?.floor == null) return 'nothing';
    const { floor } = item;
    const newFloor = chance.oneOf([null, 'U', 'CUI', 'C', 'SECRET'] as const);
    const { lowerItemMarking } = await application.client.send(LowerItemMarking, {
      input: {
        dataType: 'sortie',
        itemId,
        expectedFloor: toMarkingName(floor),
        newFloor,
        reason: 'by chance',
      },
    });
    if (newFloor !== null && toLevel(newFloor) >= toLevel(floor)) {
      expect(lowerItemMarking.__typename).toBe('InvalidInputError');
      return 'nothing';
    }
    expect(lowerItemMarking.__typename).toBe('LowerItemMarkingSuccess');
    item.floor = newFloor === 'U' ? null : newFloor;
    return `lower ${itemId} from ${floor} to ${newFloor}`;
  }

  async function rename(): Promise<string> {
    const table = chance.oneOf(TABLES);
    const name = `${table} ${names++}`;
    const { updateDataSource } = await application.client.send(UpdateDataSource, {
      input: {
        id: `DataSource:${sourceIds.get(table)}`,
        name,
      },
    });
    expect(updateDataSource.__typename).toBe('UpdateDataSourceSuccess');
    return `rename ${table}`;
  }

  return {
    open,
    step: () => chance.oneOf([changeRows, changeRows, sync, sync, query, lower, rename])(),
    /** The level that each item should have. */
    expected: () =>
      Object.fromEntries([...items].sort().map(([id, item]) => [id, toLevel(predictMarking(item))] as const)),
  };
}

/** Each takes a job or two. */
const STEPS = Math.ceil(fuzzRuns / 16);

test(
  'whatever syncs, query jobs and people do to it, an item is marked as the rules say, here and in the catalog',
  async () => {
    const world = createWorld(createChance(fuzzSeed));
    await world.open();
    const done: string[] = [];
    for (let step = 0; step < STEPS; step++) {
      done.push(await world.step());
      const history = done.join('\n');
      const stored = await storedItems(application);
      const levels = Object.fromEntries(
        stored.map(({ itemId, marking }) => [itemId, levelOfMarking(marking)] as const),
      );
      expect(levels, history).toEqual(world.expected());
      await vi.waitFor(async () => {
        const copies = [...(await catalogItems(application)).values()];
        const inCatalog = copies.map(({ itemId, classificationMarking }): [string, number] => [
          itemId,
          levelOfMarking(classificationMarking),
        ]);
        expect(Object.fromEntries(inCatalog), history).toEqual(levels);
      }, 10_000);
    }
  },
  STEPS * 5_000,
);
