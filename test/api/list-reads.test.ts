import { afterAll, beforeAll, describe, expect } from 'vitest';
import { schema } from '../../src/api/schema/schema.ts';
import { MAX_ROWS_COUNTED, MAX_ROWS_READ } from '../../src/database/paging/keyset.ts';
import { type ApiClient, createApiClient } from '../support/api-client.ts';
import { bearer, SECRET_SETTINGS } from '../support/credentials.ts';
import { insertManyRows, MANY } from '../support/many-rows.ts';
import {
  formatOrder,
  joinArguments,
  type ListFilter,
  type ListOrder,
  type PagedField,
  pagedFields,
} from '../support/paged-lists.ts';
import {
  explainStatements,
  recordSentStatements,
  type SentStatements,
  type StatementReads,
} from '../support/sent-statements.ts';
import { test } from '../support/slow-on-server.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

/**
 * What filters are asked for that take any value: what most rows have, what a few have that stand behind all others, and
 * what none has. A new filter needs values here.
 */
const VALUES: Readonly<Record<string, readonly unknown[]>> = {
  'ItemFilter.dataTypes': [['deployment'], ['sortie', 'maintenance'], []],
  'ItemFilter.classificationMarkings': [['UNCLASSIFIED'], ['CUI'], ['TS'], ['SECRET', 'CUI']],
  'ItemFilter.dataSourceId': [MANY.source, MANY.rareSource, MANY.jobWithErrors],
  'ItemFilter.jobId': [MANY.job, MANY.rareJob, MANY.jobWithErrors],
  'ItemFilter.itemIdPrefix': ['ITM-', 'ITM-0000001', 'ITM-9', 'X'],
  'ItemFilter.data': [{ priority: 'LOW' }, { priority: 'HIGH' }, { priority: 'NONE' }],
  'JobFilter.dataTypes': [['sortie'], ['deployment'], ['logistics']],
  'JobFilter.createdAfter': ['2026-01-01T00:10:00Z', '2030-01-01T00:00:00Z'],
  'JobFilter.createdBefore': ['2026-01-01T00:10:00Z', '2030-01-01T00:00:00Z'],
  'JobFilter.dataSourceIds': [[MANY.source], [MANY.rareSource], [MANY.jobWithErrors]],
  'JobFilter.startedByIds': [['common'], ['rare'], ['nobody']],
  'JobFilter.finishedAfter': ['2026-01-01T00:10:00Z', '2040-01-01T00:00:00Z'],
  'JobFilter.finishedBefore': ['2026-01-01T00:10:00Z', '2040-01-01T00:00:00Z'],
  'JobFilter.retryOfId': [MANY.jobWithErrors, MANY.rareJob],
  'JobFilter.sqlContains': ['select', 'rare', 'nothing'],
  'JobFilter.labels': [[{ key: 'common' }], [{ key: 'rare', value: 'yes' }], [{ key: 'nothing' }]],
  'DataSourceFilter.dataTypes': [['sortie'], ['logistics'], []],
  'DataSourceFilter.search': ['', 'sortie', 'nothing'],
  'ApiKeyFilter.search': ['', 'blade_', 'nothing'],
  'AuditFilter.principalIds': [['common'], ['rare'], ['nobody']],
  'AuditFilter.operations': [['startSync'], ['cancelJob'], ['nothing']],
  'AuditFilter.jobId': [MANY.auditedJob, MANY.rareAuditedJob, MANY.rareSource],
  'AuditFilter.after': ['2026-01-01T00:10:00Z', '2030-01-01T00:00:00Z'],
  'AuditFilter.before': ['2026-01-01T00:10:00Z', '2030-01-01T00:00:00Z'],
};

/** Filters that no index helps with: the rows in which they look for what fits are limited instead. */
const SEARCHED = new Set([
  ...['ItemFilter.data', 'ItemFilter.isUploaded', 'JobFilter.outcomes', 'JobFilter.dataSourceIds'],
  ...['JobFilter.startedByIds', 'JobFilter.finishedAfter', 'JobFilter.finishedBefore', 'JobFilter.isRetry'],
  ...['JobFilter.retryOfId', 'JobFilter.sqlContains', 'JobFilter.labels'],
]);

/** How a list that is a field of something is asked for. */
const PARENTS: Readonly<Record<string, (field: string) => string>> = {
  Query: (field) => field,
  Job: (field) => `job(id: "${MANY.jobWithErrors}") { ${field} }`,
};

const PAGE = 50;

/** A page, its rows by their keys, and what says where they are: a statement each, and a few rows a run of an index. */
const MOST_ROWS_OF_A_PAGE = 5 * PAGE;

/**
 * PostgreSQL knows a time to about a hundredth of a table. Within that of an end, it may take the index of the bare key and
 * pass rows of other runs, of which a clearance below has three. Items are out of this, by the collation of their indexes.
 */
const PASSED_NEAR_AN_END = 3 / 100;

/** A row is on a page of the table, below three of an index; what is read past shows in many more. */
const MOST_BLOCKS_A_ROW = 5;
const LEAST_BLOCKS = 600;

/** Of either kind: the lower clearance covers few rows, which stand behind those that it does not. */
const CLEARANCES = ['TOP SECRET', 'CUI'] as const;

let application: TestApplication;
let statements: SentStatements;
let clients: Readonly<Record<(typeof CLEARANCES)[number], ApiClient>>;
let others: number;

beforeAll(async () => {
  application = await startTestApplication({ BLADE_ROLES: 'api', ...SECRET_SETTINGS });
  const { database, url } = application;
  const isServer = database.kind === 'server';
  others = isServer ? 50_000 : 5_000;
  const items = isServer ? 1_000_000 : 30_000;
  await insertManyRows(database, { items, jobs: others, errors: others, entries: others });
  const openClient = async (clearance: string) =>
    createApiClient(url, await bearer({ role: 'admin', clearance }));
  clients = { 'TOP SECRET': await openClient('TOP SECRET'), CUI: await openClient('CUI') };
  statements = recordSentStatements();
}, 600_000);

afterAll(async () => {
  statements.stop();
  await Promise.all(Object.values(clients).map((client) => client.close()));
  await application.close();
});

interface Page {
  readonly edges: readonly { readonly cursor: string; readonly node: { readonly id: string } }[];
  readonly pageInfo: {
    readonly startCursor: string | null;
    readonly endCursor: string | null;
    readonly hasNextPage: boolean;
  };
}

const SELECTION = `edges { cursor node { id } } pageInfo { startCursor endCursor hasNextPage }`;
const COUNTS = `totalCount isTotalCountExact`;

/** One list as somebody asks for it. */
interface Asked {
  readonly field: PagedField;
  readonly filter: ListFilter | null;
  readonly value: unknown;
  readonly order: ListOrder | null;
  readonly client: ApiClient;
}

/** Asks for a part of the list, and tells what was read for it. */
async function ask<Result>(
  { field, filter, value, order, client }: Asked,
  page: Readonly<Record<string, unknown>>,
  selection: string,
): Promise<{ result: Result; reads: readonly StatementReads[] }> {
  const variables = { ...page, ...filter?.argumentsFor(value) };
  const declared = [
    ...Object.keys(page).map(
      (name) => [name, name === 'first' || name === 'last' ? 'Int' : 'String'] as const,
    ),
    ...(filter === null ? [] : [[filter.variable.name, filter.variable.type] as const]),
  ];
  const passed = [
    ...declared.map(([name]) => `${name}: $${name}`),
    ...(order === null ? [] : [`orderBy: ${formatOrder(order)}`]),
  ];
  const list = `${field.fieldName}${passed.length === 0 ? '' : `(${passed.join(', ')})`} { ${selection} }`;
  const declarations = declared.map(([name, type]) => `$${name}: ${type}`).join(', ');
  const query = `query ${declarations === '' ? '' : `(${declarations})`} { ${PARENTS[field.parent]?.(list)} }`;
  let result: Result | undefined;
  const sent = await statements.during(async () => {
    const { data, errors } = await client.sendRaw(query, variables);
    expect(errors, `${query} ${JSON.stringify(variables)}`).toBeUndefined();
    result = findList(data, field.fieldName) as Result;
  });
  if (result === undefined) throw new Error(`no answer to ${query}`);
  // Statements of the program's own, such as its queue's, are not of lists.
  const ofLists = sent.filter(({ text }) =>
    /"(public|cleared_for_level_\d)"\."|set_config|^(begin|commit)$/i.test(text),
  );
  return { result, reads: await explainStatements(application.database, ofLists) };
}

function findList(data: unknown, name: string): unknown {
  if (typeof data !== 'object' || data === null) return undefined;
  const fields: Readonly<Record<string, unknown>> = { ...data };
  return fields[name] ?? Object.values(fields).map((field) => findList(field, name))[0];
}

function expectReads(reads: readonly StatementReads[], most: number): void {
  const rows = reads.reduce((sum, read) => sum + read.rows, 0);
  const blocks = reads.reduce((sum, read) => sum + read.blocks, 0);
  const plans = reads.map(
    (read) =>
      `${read.rows} rows, ${read.blocks} blocks by ${read.scans.join(', ')}: ${read.text.slice(0, 400)}`,
  );
  expect(rows, plans.join('\n')).toBeLessThanOrEqual(most);
  expect(blocks, plans.join('\n')).toBeLessThanOrEqual(Math.max(LEAST_BLOCKS, most * MOST_BLOCKS_A_ROW));
}

const LISTS = pagedFields(schema);

test('every list of the schema is tested', () => {
  expect(LISTS.map(({ name }) => name).sort()).toEqual([
    ...[
      'Job.errors',
      'Job.events',
      'Job.partitions',
      'apiKeys',
      'auditEntries',
      'dataSources',
      'items',
      'jobs',
    ],
  ]);
});

const CASES = LISTS.flatMap((field) =>
  [null, ...field.filters].map((filter) => ({ name: filter?.name ?? `all ${field.name}`, field, filter })),
);

describe.each(
  // As a fresh database has them, and an embedded one for good; and as they are later.
  ['never analyzed', 'analyzed'].flatMap((state) => CLEARANCES.map((clearance) => ({ state, clearance }))),
)(
  'of tables $state, cleared for $clearance, a page reads no more than it takes, whatever is before and behind it',
  ({ state, clearance }) => {
    beforeAll(async () => {
      if (state === 'analyzed') await application.database.pool.query('vacuum analyze');
    });

    test.each(CASES)('$name', async ({ name, field, filter }) => {
      const values = filter === null ? [null] : (filter.values ?? VALUES[filter.name]);
      if (values === undefined) throw new Error(`${name} is new: VALUES needs some for it`);
      const isSearched = SEARCHED.has(name);
      const ofPage = MOST_ROWS_OF_A_PAGE + (field.name === 'items' ? 0 : others * PASSED_NEAR_AN_END);
      const most = isSearched ? MAX_ROWS_READ + ofPage : ofPage;
      for (const value of values) {
        for (const order of field.orders) {
          const asked = { field, filter, value, order, client: clients[clearance] };
          const expectPage = async (page: object) => {
            const { result, reads } = await ask<Page>(asked, { ...page }, SELECTION);
            expectReads(reads, most);
            return result;
          };
          const first = await expectPage({ first: PAGE });
          const last = await expectPage({ last: PAGE });
          for (const { startCursor, endCursor } of [first.pageInfo, last.pageInfo]) {
            if (endCursor !== null) await expectPage({ first: PAGE, after: endCursor });
            if (startCursor !== null) await expectPage({ last: PAGE, before: startCursor });
          }
          const { reads } = await ask(asked, {}, COUNTS);
          expectReads(reads, (isSearched ? MAX_ROWS_READ : MAX_ROWS_COUNTED) + ofPage);
        }
      }
    });
  },
);

describe.each(CLEARANCES)(
  'cleared for %s, two filters at once read no more than a search does',
  (clearance) => {
    const pairs = LISTS.flatMap((field) =>
      field.filters.flatMap((one, index) =>
        field.filters
          .slice(index + 1)
          .map((other) => ({ field, one, other, names: `${one.name} and ${other.name}` })),
      ),
    );

    test.each(pairs)('$names', async ({ field, one, other }) => {
      // Of the values, one that few rows have, which stand behind all others.
      const rare = ({ name, values }: ListFilter) => (VALUES[name] ?? values)?.[1];
      const both: ListFilter = {
        ...one,
        argumentsFor: () => joinArguments([one.argumentsFor(rare(one)), other.argumentsFor(rare(other))]),
      };
      const asked = {
        field,
        filter: both,
        value: null,
        order: field.orders[0] ?? null,
        client: clients[clearance],
      };
      for (const page of [{ first: PAGE }, { last: PAGE }]) {
        const { reads } = await ask<Page>(asked, page, SELECTION);
        // Of items, what a shortcut finds is tried first, and then the search.
        const searches = field.name === 'items' ? 2 : 1;
        expectReads(reads, searches * MAX_ROWS_READ + MOST_ROWS_OF_A_PAGE + others * PASSED_NEAR_AN_END);
      }
    });
  },
);

describe('a filter that matches hardly any of many items', () => {
  const ITEMS = `items(filter: { data: { priority: "HIGH" } }`;

  async function search(page: string) {
    const { data, errors } = await clients['TOP SECRET'].sendRaw(
      `{ ${ITEMS}, ${page}) { edges { node { itemId } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`,
    );
    expect(errors).toBeUndefined();
    return (data as { items: SearchPage }).items;
  }

  interface SearchPage {
    readonly edges: readonly { readonly node: { readonly itemId: string } }[];
    readonly pageInfo: {
      readonly hasNextPage: boolean;
      readonly hasPreviousPage: boolean;
      readonly startCursor: string | null;
      readonly endCursor: string | null;
    };
  }

  test.each(['forward', 'backward'])(
    'is searched %s in steps, to the end, and returns all of them',
    async (way) => {
      const isForward = way === 'forward';
      const found: string[] = [];
      let cursor: string | null = null;
      let steps = 0;
      for (let goesOn = true; goesOn; steps++) {
        const place = cursor === null ? '' : `, ${isForward ? 'after' : 'before'}: "${cursor}"`;
        const { edges, pageInfo } = await search(`${isForward ? 'first' : 'last'}: 100${place}`);
        found.push(...edges.map(({ node }) => node.itemId));
        cursor = isForward ? pageInfo.endCursor : pageInfo.startCursor;
        goesOn = isForward ? pageInfo.hasNextPage : pageInfo.hasPreviousPage;
      }
      const { rows } = await application.database.pool.query<{ item_id: string }>(
        `select item_id from blade_item where data ->> 'priority' = 'HIGH' order by item_id`,
      );
      expect(found.toSorted()).toEqual(rows.map(({ item_id: id }) => id));
      const { rows: all } = await application.database.pool.query<{ count: number }>(
        'select count(*)::int as count from blade_item',
      );
      // Each step but the last few, which find some, reads as many as it may.
      expect(steps).toBeGreaterThanOrEqual(Math.floor((all[0]?.count ?? 0) / MAX_ROWS_READ));
    },
  );
});

describe('the number of entries of a list', () => {
  const COUNT = `{ items { totalCount isTotalCountExact exact: totalCount(exact: true) } }`;

  test.each(CLEARANCES)(
    'is counted to 10,000, or exactly when asked, and only of what %s covers',
    async (clearance) => {
      const { data, errors } = await clients[clearance].sendRaw(COUNT);
      expect(errors).toBeUndefined();
      const { rows } = await application.database.pool.query<{ count: number }>(
        `select count(*)::int as count from blade_item
         where $1 or classification_marking in ('U', 'UNCLASSIFIED', 'CUI')`,
        [clearance === 'TOP SECRET'],
      );
      const exact = rows[0]?.count ?? 0;
      expect(exact).toBeGreaterThan(MAX_ROWS_COUNTED);
      expect(data).toEqual({ items: { totalCount: MAX_ROWS_COUNTED, isTotalCountExact: false, exact } });
    },
  );

  test('is exact if there are few', async () => {
    const { data } = await clients['TOP SECRET'].sendRaw(
      `{ items(filter: { classificationMarkings: [CUI] }) { totalCount isTotalCountExact exact: totalCount(exact: true) } }`,
    );
    expect(data).toEqual({ items: { totalCount: 60, isTotalCountExact: true, exact: 60 } });
  });

  test('is counted only if it is requested, without reading a page', async () => {
    const [field] = LISTS.filter(({ name }) => name === 'items');
    if (field === undefined) throw new Error('no items');
    const asked = { field, filter: null, value: null, order: null, client: clients['TOP SECRET'] };
    const page = await ask(asked, { first: 1 }, 'edges { cursor }');
    expect(page.reads.map(({ text }) => text).join()).not.toMatch(/count\(/);
    const count = await ask(asked, {}, 'totalCount');
    expect(count.reads).toHaveLength(1);
    expect(count.reads[0]?.text).toMatch(/count\(/);
  });
});

test('the last runs of sources are read without the earlier ones', async () => {
  const { database } = application;
  await database.pool.query(
    `insert into data_source (id, name, data_type, catalog_name, schema_name, table_name, updated_at)
     select gen_random_uuid(), 'Source ' || n, 'sortie', 'blade', 'field', 'sortie', now() from generate_series(1, 5) as n`,
  );
  await database.pool.query(
    `insert into scheduled_run (id, data_source_id, state, first_due_at, due_at, skipped_because)
     select gen_random_uuid(), id, 'SKIPPED', now(), now(), 'it was disabled' from data_source, generate_series(1, 1000)`,
  );
  await database.pool.query('analyze data_source, scheduled_run');
  const sent = await statements.during(async () => {
    const { data, errors } = await clients['TOP SECRET'].sendRaw(
      `{ dataSources { nodes { scheduledRuns(first: 3) { skippedBecause } } } }`,
    );
    expect(errors).toBeUndefined();
    const { dataSources } = data as { dataSources: { nodes: { scheduledRuns: object[] }[] } };
    expect(dataSources.nodes.map(({ scheduledRuns }) => scheduledRuns.length)).toEqual([3, 3, 3, 3, 3]);
  });
  const reads = await explainStatements(
    database,
    sent.filter(({ text }) => text.includes('"scheduled_run"')),
  );
  expectReads(reads, 5 * 3);
});
