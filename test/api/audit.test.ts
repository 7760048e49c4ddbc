import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest';
import { recordDone } from '../../src/access/audit.ts';
import { localPrincipal } from '../../src/access/principal.ts';
import { createPrismaClient } from '../../src/database/prisma-client.ts';
import { prune } from '../../src/jobs/retention.ts';
import type { ApiClient } from '../support/api-client.ts';
import { createApiClient } from '../support/api-client.ts';
import { bearer, SECRET_SETTINGS } from '../support/credentials.ts';
import { test } from '../support/on-server.ts';
import { addSource } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

let application: TestApplication;
let admin: ApiClient;
let operator: ApiClient;
let sourceId: string;

beforeAll(async () => {
  application = await startTestApplication({ BLADE_ROLES: 'api', ...SECRET_SETTINGS });
  admin = await openClient('admin');
  operator = await openClient('operator');
  sourceId = await addSource(
    { ...application, client: admin },
    { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' },
  );
});

afterAll(async () => {
  await admin.close();
  await operator.close();
  await application.close();
});

beforeEach(async () => {
  const { edges } = await fetchResult<{ edges: { node: { id: string; state: string } }[] }>(
    operator,
    '{ jobs { edges { node { id state } } } }',
  );
  for (const { node } of edges) {
    if (node.state !== 'CANCELLED') await operator.cancelJob(node.id);
  }
});

/** What the one root field of an operation gives. */
async function fetchResult<Result>(client: ApiClient, text: string, variables: object = {}): Promise<Result> {
  const answer = await client.sendRaw(text, { ...variables });
  expect(answer.errors).toBeUndefined();
  const [result] = Object.values(answer.data ?? {});
  return result as Result;
}

async function openClient(role: string): Promise<ApiClient> {
  const claims = { sub: `the ${role}`, name: `Some ${role}`, role, clearance: 'TOP SECRET' };
  return createApiClient(application.url, await bearer(claims));
}

interface Entry {
  readonly operation: string;
  readonly principal: { readonly id: string };
  readonly jobId: string | null;
}

const ENTRIES = `query ($filter: AuditFilter, $first: Int, $after: String) {
  auditEntries(filter: $filter, first: $first, after: $after) {
    totalCount
    pageInfo { hasNextPage endCursor }
    edges { node { id time principal { id name } operation outcome jobId dataSourceId apiKeyId details } }
  }
}`;

async function page(variables: object) {
  const answer = await admin.sendRaw(ENTRIES, { ...variables });
  expect(answer.errors).toBeUndefined();
  return answer.data?.auditEntries as {
    totalCount: number;
    pageInfo: { hasNextPage: boolean; endCursor: string };
    edges: { node: Entry }[];
  };
}

const entries = async (filter?: object) => (await page({ filter, first: 200 })).edges.map(({ node }) => node);

async function countRows(sql: string): Promise<number> {
  const { rows } = await application.database.pool.query(`select count(*)::int as count ${sql}`);
  return rows[0].count;
}

describe('an action is recorded', () => {
  test('with the principal and the job, from its start to its end', async () => {
    const { id } = await operator.startSync({ syncType: 'FULL', maxItems: 3 });
    await operator.sendRaw('mutation ($id: ID!) { pauseJob(input: { id: $id }) { __typename } }', { id });
    await operator.sendRaw('mutation ($id: ID!) { resumeJob(input: { id: $id }) { __typename } }', { id });
    await operator.sendRaw('mutation { stopSync { __typename } }');
    await admin.sendRaw('mutation ($id: ID!) { retryJob(input: { id: $id }) { __typename } }', { id });

    const principal = { id: 'Principal:the operator', name: 'Some operator' };
    expect(await entries({ jobId: id })).toMatchObject([
      { operation: 'stopSync', principal, outcome: 'DONE' },
      { operation: 'resumeJob', principal, outcome: 'DONE' },
      { operation: 'pauseJob', principal, outcome: 'DONE' },
      {
        ...{ operation: 'startSync', principal, outcome: 'DONE', jobId: id },
        details: { syncType: 'FULL', dataType: null, filter: null, maxItems: 3 },
      },
    ]);
    expect((await entries({ operations: ['retryJob'] }))[0]).toMatchObject({
      principal: { id: 'Principal:the admin' },
      details: { retryOf: id.slice('Job:'.length), mode: 'ALL' },
    });
    const { data } = await operator.sendRaw('query ($id: ID!) { job(id: $id) { startedBy { id name } } }', {
      id,
    });
    expect(data?.job).toEqual({ startedBy: principal });
  });

  test('without the statement of a query job and its parameters', async () => {
    const { id } = await operator.startQueryJob({
      dataType: 'sortie',
      sqlQuery: 'SELECT * FROM blade.field.sortie WHERE departure_base = :base',
      parameters: { base: 'hunter2' },
    });
    const [entry] = await entries({ jobId: id });
    expect(entry).toMatchObject({ details: { dataType: 'sortie', parameterNames: ['base'] } });
    expect(JSON.stringify(entry)).not.toMatch(/hunter2|SELECT/);
    const shown = await operator.sendRaw(
      'query ($id: ID!) { job(id: $id) { configuration { ... on QueryConfiguration { parameterNames } } } }',
      { id },
    );
    expect(JSON.stringify(shown)).not.toContain('hunter2');
  });

  test('if it concerns a data source', async () => {
    const save = `mutation ($name: String!) { createDataSource(input: { name: $name, dataType: "sortie",
      catalogName: "blade", schemaName: "field", tableName: "sortie" }) {
        ... on CreateDataSourceSuccess { dataSource { id } } } }`;
    const { dataSource } = await fetchResult<{ dataSource: { id: string } }>(admin, save, { name: 'Other' });
    const { id } = dataSource;
    await operator.sendRaw('mutation ($id: ID!) { testDataSource(input: { id: $id }) { __typename } }', {
      id,
    });
    await admin.sendRaw('mutation ($id: ID!) { deleteDataSource(input: { id: $id }) { __typename } }', {
      id,
    });
    expect((await entries()).slice(0, 3)).toMatchObject([
      { operation: 'deleteDataSource', dataSourceId: id, details: { name: 'Other' } },
      { operation: 'testDataSource', dataSourceId: id, principal: { id: 'Principal:the operator' } },
      { operation: 'createDataSource', dataSourceId: id, details: { tableName: 'sortie', schedule: null } },
    ]);
  });

  test('if it concerns an API key, without the key', async () => {
    const create = `mutation {
      createApiKey(input: { name: "report", role: VIEWER, clearance: U }) {
        ... on CreateApiKeySuccess { key apiKey { id } } } }`;
    const { key, apiKey } = await fetchResult<{ key: string; apiKey: { id: string } }>(admin, create);
    await admin.sendRaw('mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { __typename } }', {
      id: apiKey.id,
    });
    await admin.sendRaw('mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { __typename } }', {
      id: apiKey.id,
    });
    const found = (await entries()).slice(0, 2);
    expect(found).toMatchObject([
      { operation: 'revokeApiKey', apiKeyId: apiKey.id },
      { operation: 'createApiKey', apiKeyId: apiKey.id, details: { name: 'report', role: 'viewer' } },
    ]);
    expect(JSON.stringify(found)).not.toContain(key);
  });

  test('but not if it changes nothing', async () => {
    const before = await entries();
    await operator.sendRaw('mutation { stopSync { __typename } }');
    await operator.sendRaw(
      'mutation { startSync(input: { syncType: FULL, dataType: "deployment" }) { __typename } }',
    );
    await operator.sendRaw('mutation { startSync(input: { syncType: FULL, maxItems: 0 }) { __typename } }');
    await operator.sendRaw(
      'mutation { cancelJob(input: { id: "01997f3e-8c1a-7000-8000-000000000000" }) { __typename } }',
    );
    expect(await entries()).toEqual(before);
  });
});

describe('a change and its entry are in one transaction', () => {
  /** While it runs, no entry can be written. */
  async function withoutAudit(run: () => Promise<unknown>): Promise<void> {
    const { pool } = application.database;
    await pool.query('alter table audit_entry rename to audit_entry_away');
    try {
      await run();
    } finally {
      await pool.query('alter table audit_entry_away rename to audit_entry');
    }
  }

  test('so that no job starts without one', async () => {
    const before = await countRows('from job');
    await withoutAudit(async () => {
      const answer = await operator.sendRaw(
        'mutation { startSync(input: { syncType: FULL }) { __typename } }',
      );
      expect(answer.errors).toMatchObject([{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }]);
    });
    expect(await countRows('from job')).toBe(before);
  });

  test('no job is paused or cancelled without one', async () => {
    const { id } = await operator.startSync({ syncType: 'FULL' });
    await withoutAudit(async () => {
      for (const operation of ['pauseJob', 'cancelJob']) {
        const text = `mutation ($id: ID!) { ${operation}(input: { id: $id }) { __typename } }`;
        expect((await operator.sendRaw(text, { id })).errors).toHaveLength(1);
      }
    });
    expect(await countRows(`from job where id = '${id.slice('Job:'.length)}' and state = 'QUEUED'`)).toBe(1);
  });

  test('no source is changed or deleted without one', async () => {
    await withoutAudit(async () => {
      const text = 'mutation ($id: ID!) { deleteDataSource(input: { id: $id }) { __typename } }';
      expect((await admin.sendRaw(text, { id: sourceId })).errors).toHaveLength(1);
    });
    expect(await countRows(`from data_source where name = 'Sorties'`)).toBe(1);
  });

  test('and a job that could not be started has none', async () => {
    const before = await entries();
    const { pool } = application.database;
    await pool.query('alter table pgboss.job_common add constraint refused check (false) not valid');
    try {
      const text = 'mutation { startSync(input: { syncType: FULL }) { __typename } }';
      expect((await operator.sendRaw(text)).errors).toHaveLength(1);
    } finally {
      await pool.query('alter table pgboss.job_common drop constraint refused');
    }
    expect(await entries()).toEqual(before);
  });
});

describe('entries can be found', () => {
  test('by principal, operation, outcome and time', async () => {
    await operator.startSync({ syncType: 'FULL' });
    await (await openClient('viewer')).sendRaw('mutation { stopSync { __typename } }');
    const all = await entries();
    const ofOperator = await entries({ principalIds: ['the operator'] });
    expect(ofOperator.length).toBeGreaterThan(0);
    expect(ofOperator).toEqual(all.filter(({ principal }) => principal.id === 'Principal:the operator'));
    expect(await entries({ operations: ['startSync'] })).toEqual(
      all.filter(({ operation }) => operation === 'startSync'),
    );
    expect(await entries({ outcomes: ['REFUSED'] })).toMatchObject([
      { operation: 'stopSync', principal: { id: 'Principal:the viewer' }, outcome: 'REFUSED' },
    ]);
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString();
    expect(await entries({ after: tomorrow })).toEqual([]);
    expect(await entries({ before: tomorrow })).toEqual(all);
  });

  test('page by page, newest first', async () => {
    const all = await entries();
    const paged: Entry[] = [];
    for (let after: string | null = null; ; ) {
      const { edges, pageInfo, totalCount } = await page({ first: 3, after });
      expect(totalCount).toBe(all.length);
      paged.push(...edges.map(({ node }) => node));
      if (!pageInfo.hasNextPage) break;
      after = pageInfo.endCursor;
    }
    expect(paged).toEqual(all);
  });
});

describe('the database', () => {
  test.each([
    `update audit_entry set principal_id = 'somebody else'`,
    'delete from audit_entry',
    'truncate audit_entry',
  ])('refuses to %s', async (statement) => {
    await expect(application.database.pool.query(statement)).rejects.toMatchObject({
      constraint: 'audit_entry_is_append_only',
    });
  });

  test('lets only retention delete, and only what is older', async () => {
    const prisma = createPrismaClient(application.database.connectionString, { maxConnections: 1 });
    await recordDone(prisma, localPrincipal, { operation: 'retained' });
    const settings = { historyDays: null, itemDays: null };
    const day = 86_400_000;
    const inThreeDays = new Date(Date.now() + 3 * day);
    expect((await prune(prisma, { ...settings, auditDays: null }, inThreeDays)).auditEntries).toBe(0);
    expect((await prune(prisma, { ...settings, auditDays: 4 }, inThreeDays)).auditEntries).toBe(0);
    const count = await countRows('from audit_entry');
    expect((await prune(prisma, { ...settings, auditDays: 2 }, inThreeDays)).auditEntries).toBe(count);
    expect(await countRows('from audit_entry')).toBe(0);
    await prisma.$disconnect();
  });
});
