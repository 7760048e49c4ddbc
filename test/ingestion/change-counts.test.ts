import { afterAll, beforeAll, expect, vi } from 'vitest';
import { toLevel } from '../../src/data-types/marking.ts';
import type { JobFactsFragment } from '../generated/graphql.ts';
import { type ApiClient, createApiClient } from '../support/api-client.ts';
import { type Chance, createChance } from '../support/chance.ts';
import { bearer, SECRET_SETTINGS } from '../support/credentials.ts';
import { fuzzRuns, fuzzSeed } from '../support/fuzz-runs.ts';
import { test } from '../support/on-server.ts';
import { JobById, UpdateDataSource } from '../support/operations.ts';
import { addSource, writeRows } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

let application: TestApplication;
let client: ApiClient;
/** A caller who must not learn how many items are SECRET. */
let cleared: ApiClient;

beforeAll(async () => {
  application = await startTestApplication(SECRET_SETTINGS);
  const login = async (role: string, clearance: string) =>
    createApiClient(application.url, await bearer({ role, clearance }));
  client = await login('admin', 'TOP SECRET');
  cleared = await login('operator', 'CONFIDENTIAL');
});

afterAll(async () => {
  await client.close();
  await cleared.close();
  await application.close();
});

const TABLES = ['first', 'second'] as const;
type Table = (typeof TABLES)[number];

/** Some ids are in both tables. */
const IDS: Readonly<Record<Table, readonly string[]>> = {
  first: Array.from({ length: 24 }, (_none, index) => `S-${index}`),
  second: Array.from({ length: 24 }, (_none, index) => `S-${index + 18}`),
};
const MARKINGS = ['UNCLASSIFIED', 'CONFIDENTIAL', 'SECRET'] as const;
const POLICIES = ['KEEP', 'MARK', 'REMOVE'] as const;

interface Row {
  readonly item_id: string;
  readonly flight_hours: number;
  /** A row fails if this is not a time. */
  readonly scheduled_departure: string;
  readonly classification_marking: (typeof MARKINGS)[number];
  readonly seq: number;
}

/** Rows that never change, so that a sync can be split. */
const FILLING = 1_000;

const TIME = '2026-01-01T00:00:00Z';

/** An item of the copy, in as few words as it can be said. */
interface Item {
  /** The source that brought its content, and that content. */
  owner: Table;
  content: string;
  /** What each source that has it states. */
  readonly stated: Map<Table, Row['classification_marking']>;
  isDeleted: boolean;
}

interface Counts {
  inserted: number;
  updated: number;
  unchanged: number;
  deleted: number;
  failed: number;
}

type Kind = keyof Counts;

const createCounts = (): Counts => ({ inserted: 0, updated: 0, unchanged: 0, deleted: 0, failed: 0 });

const levelOfItem = ({ stated }: Item) => Math.max(...[...stated.values()].map(toLevel));
const CLEARED_LEVEL = toLevel('CONFIDENTIAL');

function createWorld(chance: Chance) {
  const rows: Record<Table, Row[]> = { first: [], second: [] };
  const policies: Record<Table, (typeof POLICIES)[number]> = { first: 'MARK', second: 'REMOVE' };
  const watermarks: Record<Table, number> = { first: -1, second: -1 };
  const sources = new Map<Table, string>();
  const items = new Map<string, Item>();
  let sequence = 0;

  const write = (table: Table) => writeRows(application.warehouseFolder, table, rows[table]);

  const createRow = (id: string): Row => ({
    item_id: id,
    flight_hours: chance.below(4),
    scheduled_departure: chance.below(12) === 0 ? 'at noon' : TIME,
    classification_marking: chance.oneOf(MARKINGS),
    seq: sequence++,
  });

  async function open(): Promise<void> {
    for (const table of TABLES) {
      const ids = [
        ...IDS[table].slice(0, 12),
        ...Array.from({ length: FILLING }, (_none, at) => `${table}-${at}`),
      ];
      rows[table] = ids.map((id) => ({ ...createRow(id), scheduled_departure: TIME }));
      await write(table);
      const source = { name: table, dataType: 'sortie', tableName: table, cursorColumn: 'seq' };
      const policy = { deletePolicy: policies[table], maxDeletePercent: 100 };
      sources.set(table, await addSource({ client }, { ...source, ...policy }));
    }
  }

  async function changeRows(table: Table): Promise<string> {
    const changes: string[] = [];
    for (const id of IDS[table]) {
      const at = rows[table].findIndex(({ item_id }) => item_id === id);
      const row = rows[table][at];
      const dice = chance.below(10);
      if (row === undefined) {
        if (dice < 2) rows[table].push(createRow(id));
        else continue;
      } else if (dice === 0 && rows[table].length > FILLING + 2) rows[table].splice(at, 1);
      else if (dice === 1) rows[table][at] = createRow(id);
      // The same row at another place.
      else if (dice === 2) rows[table].push(...rows[table].splice(at, 1));
      else continue;
      changes.push(`${id} ${dice}`);
    }
    await write(table);
    return `change ${table}: ${changes.join(', ')}`;
  }

  async function changePolicy(table: Table): Promise<string> {
    policies[table] = chance.oneOf(POLICIES);
    const input = { id: `DataSource:${sources.get(table)}`, deletePolicy: policies[table] };
    const { updateDataSource } = await client.send(UpdateDataSource, { input });
    expect(updateDataSource.__typename).toBe('UpdateDataSourceSuccess');
    return `${table} ${policies[table]}`;
  }

  /** Predicts what a sync of the rows does to the copy, and counts it for a caller who is cleared for everything, and for one who is not. */
  function predict(
    table: Table,
    read: readonly Row[],
    isComplete: boolean,
  ): Record<'all' | 'covered', Counts> {
    const counts = { all: createCounts(), covered: createCounts() };
    const count = (kind: Kind, level: number) => {
      counts.all[kind] += 1;
      if (level <= CLEARED_LEVEL) counts.covered[kind] += 1;
    };
    for (const row of read) {
      const { item_id: id, classification_marking: marking, flight_hours, scheduled_departure } = row;
      const item = items.get(id);
      if (scheduled_departure !== TIME) {
        count('failed', Math.max(toLevel(marking), item === undefined ? 0 : levelOfItem(item)));
        continue;
      }
      const content = `${flight_hours} ${marking} ${row.seq}`;
      const isSame = item?.owner === table && item.content === content && !item.isDeleted;
      const kind = item === undefined || item.isDeleted ? 'inserted' : isSame ? 'unchanged' : 'updated';
      const stated = new Map(item?.stated).set(table, marking);
      items.set(id, { owner: table, content, stated, isDeleted: false });
      count(kind, levelOfItem({ stated } as Item));
    }
    const ids = new Set(rows[table].map(({ item_id }) => item_id));
    if (isComplete && policies[table] !== 'KEEP') {
      for (const [id, item] of items) {
        if (ids.has(id) || item.isDeleted || !item.stated.has(table)) continue;
        // Of an item of several sources, the one that brought it last gives it up.
        if (item.owner !== table) continue;
        const other = TABLES.find((name) => name !== table && item.stated.has(name));
        if (other === undefined) {
          count('deleted', levelOfItem(item));
          item.isDeleted = true;
        } else {
          // Its marking stays until the other source writes it.
          const marking = MARKINGS[MARKINGS.findIndex((name) => toLevel(name) === levelOfItem(item))];
          item.stated.delete(table);
          if (marking !== undefined) item.stated.set(other, marking);
          item.owner = other;
          item.content = '';
        }
      }
    }
    return counts;
  }

  async function sync(table: Table): Promise<string> {
    const isFull = chance.below(3) > 0;
    const isSplit = chance.below(2) === 0;
    const job = await runSync(sources.get(table) ?? '', isFull, isSplit);
    const isIn = ({ seq }: Row) => isFull || seq >= watermarks[table];
    const due = rows[table].filter(isIn);
    const { processedItems } = job.progress;
    // An INCREMENTAL sync reads everything where the watermark proves nothing. Its counts tell.
    const read = [0, due.length].includes(processedItems) ? due : rows[table];
    const { all, covered } = predict(table, read, isFull);
    if (processedItems === 0) {
      // Of a table that has not changed, it reads nothing.
      expect(all).toEqual({ ...createCounts(), unchanged: due.length });
      all.unchanged = 0;
      covered.unchanged = 0;
    }
    watermarks[table] = Math.max(watermarks[table], ...rows[table].map(({ seq }) => seq));
    const isAll = { isFull, isSplit };
    await expectCounts(client, job.id, all, JSON.stringify({ table, ...isAll }));
    await expectCounts(cleared, job.id, covered, JSON.stringify({ table, ...isAll, isCovered: true }));
    await expectSource(client, sources.get(table) ?? '', all);
    await expectSource(cleared, sources.get(table) ?? '', covered);
    await removalsDone();
    return `sync ${table} ${JSON.stringify({ ...isAll, policy: policies[table], all })}`;
  }

  return {
    open,
    step: () => {
      const table = chance.oneOf(TABLES);
      return chance.oneOf([changeRows, changeRows, sync, sync, sync, changePolicy])(table);
    },
  };
}

async function runSync(source: string, isFull: boolean, isSplit: boolean): Promise<JobFactsFragment> {
  const options = isSplit ? { batchSize: 300, partitionRows: 1_000 } : { batchSize: 100 };
  const { id } = await client.startSync({
    syncType: isFull ? 'FULL' : 'INCREMENTAL',
    dataSourceIds: [source],
    options,
  });
  const job = await client.waitForEnd(id);
  expect(job.state).toBe('COMPLETED');
  return job;
}

/** Items that are removed are new if they come back, so the model waits for that. */
async function removalsDone(): Promise<void> {
  await vi.waitFor(async () => {
    const { rows } = await application.database.pool.query('select 1 from item_removal limit 1');
    expect(rows).toEqual([]);
  }, 20_000);
}

/** Expects the same counts of the job, its types, its partitions and its log. */
async function expectCounts(reader: ApiClient, id: string, counts: Counts, what: string): Promise<void> {
  const { job } = await reader.send(JobById, { id });
  const [type] = job?.progress.byType ?? [];
  expect(readCounts(job?.progress), what).toEqual(counts);
  expect(readCounts(type), what).toEqual(counts);
  const partitions = (job?.partitions.nodes ?? []).map(readCounts);
  const sum = partitions.reduce((total, next) => {
    for (const kind of Object.keys(total) as Kind[]) total[kind] += next[kind];
    return total;
  }, createCounts());
  expect(sum, what).toEqual(counts);
  const { data } = await reader.sendRaw(
    `{ job(id: "${id}") { events(last: 1) { nodes { ... on JobEndedEvent { insertedCount updatedCount unchangedCount errorCount deletedCount } } } } }`,
  );
  const answer = data as { job: { events: { nodes: Shown[] } } };
  expect(readCounts(answer.job.events.nodes[0]), what).toEqual(counts);
}

async function expectSource(reader: ApiClient, id: string, counts: Counts): Promise<void> {
  const { data } = await reader.sendRaw(
    `{ dataSource(id: "${id}") { insertedCount updatedCount unchangedCount failedCount deletedCount } }`,
  );
  const { failedCount, ...shown } = (data as { dataSource: Shown & { failedCount: number } }).dataSource;
  expect(readCounts({ ...shown, errorCount: failedCount })).toEqual(counts);
}

interface Shown {
  readonly insertedCount: number | null;
  readonly updatedCount: number | null;
  readonly unchangedCount: number | null;
  readonly errorCount: number;
  readonly deletedCount: number;
}

function readCounts(shown: Shown | undefined): Counts {
  return {
    inserted: shown?.insertedCount ?? Number.NaN,
    updated: shown?.updatedCount ?? Number.NaN,
    unchanged: shown?.unchangedCount ?? Number.NaN,
    deleted: shown?.deletedCount ?? Number.NaN,
    failed: shown?.errorCount ?? Number.NaN,
  };
}

/** Most of them take a sync. */
const STEPS = Math.ceil(fuzzRuns / 16);

test(
  'whatever happens to the tables, a sync counts what it has inserted, updated, left as it was, deleted and failed to store',
  async () => {
    const world = createWorld(createChance(fuzzSeed));
    await world.open();
    const done: string[] = [];
    try {
      for (let step = 0; step < STEPS; step++) done.push(await world.step());
    } catch (error) {
      throw new Error(`after\n${done.join('\n')}`, { cause: error });
    }
  },
  60_000 + STEPS * 10_000,
);
