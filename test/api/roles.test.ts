import { afterAll, beforeAll, describe, expect } from 'vitest';
import { ACCESS_ROLES, type AccessRole, includesRole } from '../../src/access/principal.ts';
import { findRequiredRole } from '../../src/api/schema/requires.ts';
import { schema } from '../../src/api/schema/schema.ts';
import { type ApiClient, createApiClient } from '../support/api-client.ts';
import { bearer, SECRET_SETTINGS } from '../support/credentials.ts';
import { test } from '../support/on-server.ts';
import { subscribe, type Transport } from '../support/subscriber.ts';
import { addSource } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

const UNKNOWN = '01997f3e-8c1a-7000-8000-000000000000';

/** An operation for each root field, of which each role may do what it names or what a lesser one may. */
const OPERATIONS: Record<AccessRole, Record<string, string>> = {
  viewer: {
    me: '{ me { principal { id name } role clearance expiresAt } }',
    node: `{ node(id: "Job:${UNKNOWN}") { id } }`,
    nodes: `{ nodes(ids: ["Job:${UNKNOWN}"]) { id } }`,
    job: `{ job(id: "${UNKNOWN}") { id } }`,
    jobs: '{ jobs { totalCount } }',
    syncStatus: '{ syncStatus { state } }',
    dataSources: '{ dataSources { nodes { name } } }',
    dataSource: `{ dataSource(id: "${UNKNOWN}") { name } }`,
    items: '{ items { totalCount } }',
    item: '{ item(dataType: "sortie", itemId: "x") { itemId } }',
    dataTypes: '{ dataTypes { name } }',
    jobProgress: `subscription { jobProgress(id: "${UNKNOWN}") { id } }`,
    jobErrors: `subscription { jobErrors(id: "${UNKNOWN}") { cursor } }`,
    jobEvents: `subscription { jobEvents(id: "${UNKNOWN}") { cursor } }`,
    syncProgress: 'subscription { syncProgress { state } }',
    jobChanges: 'subscription { jobChanges { job { id } } }',
  },
  operator: {
    startSync:
      'mutation { startSync(input: { syncType: FULL }) { __typename ... on UserError { message } } }',
    stopSync: 'mutation { stopSync { __typename ... on UserError { message } } }',
    startQueryJob:
      'mutation { startQueryJob(input: { dataType: "sortie", sqlQuery: "SELECT * FROM blade.field.sortie" }) { __typename ... on UserError { message } } }',
    cancelJob: `mutation { cancelJob(input: { id: "Job:${UNKNOWN}" }) { __typename ... on UserError { message } } }`,
    pauseJob: `mutation { pauseJob(input: { id: "Job:${UNKNOWN}" }) { __typename ... on UserError { message } } }`,
    resumeJob: `mutation { resumeJob(input: { id: "Job:${UNKNOWN}" }) { __typename ... on UserError { message } } }`,
    retryJob: `mutation { retryJob(input: { id: "Job:${UNKNOWN}" }) { __typename ... on UserError { message } } }`,
    lowerItemMarking:
      'mutation { lowerItemMarking(input: { dataType: "sortie", itemId: "x", expectedFloor: TS, reason: "x" }) { __typename ... on UserError { message } } }',
    previewSync: `mutation { previewSync(dataSourceId: "DataSource:${UNKNOWN}") { __typename ... on UserError { message } } }`,
    testDataSource: `mutation { testDataSource(input: { id: "DataSource:${UNKNOWN}" }) { __typename ... on UserError { message } } }`,
  },
  admin: {
    createDataSource:
      'mutation { createDataSource(input: { name: "x", dataType: "sortie", catalogName: "a", schemaName: "b", tableName: "c" }) { __typename ... on UserError { message } } }',
    updateDataSource: `mutation { updateDataSource(input: { id: "DataSource:${UNKNOWN}" }) { __typename ... on UserError { message } } }`,
    deleteDataSource: `mutation { deleteDataSource(input: { id: "DataSource:${UNKNOWN}" }) { __typename ... on UserError { message } } }`,
    acceptSchemaChange: `mutation { acceptSchemaChange(input: { id: "DataSource:${UNKNOWN}" }) { __typename ... on UserError { message } } }`,
    approveDeletes: `mutation { approveDeletes(input: { jobId: "Job:${UNKNOWN}", expectedCount: 1 }) { __typename ... on UserError { message } } }`,
    rejectDeletes: `mutation { rejectDeletes(input: { jobId: "Job:${UNKNOWN}" }) { __typename ... on UserError { message } } }`,
    setWatermark: `mutation { setWatermark(input: { id: "DataSource:${UNKNOWN}" }) { __typename ... on UserError { message } } }`,
    repairCatalog: 'mutation { repairCatalog { __typename ... on UserError { message } } }',
    apiKeys: '{ apiKeys { nodes { name } } }',
    createApiKey:
      'mutation { createApiKey(input: { name: "x", role: VIEWER, clearance: U }) { __typename ... on UserError { message } } }',
    revokeApiKey: `mutation { revokeApiKey(input: { id: "${UNKNOWN}" }) { __typename ... on UserError { message } } }`,
    auditEntries: '{ auditEntries { totalCount } }',
  },
};

const rootTypes = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
const rootFields = rootTypes.flatMap((type) => Object.values(type?.getFields() ?? {}));

test('every root field says which role it needs, and is tested here', () => {
  const known = ACCESS_ROLES.flatMap((role) =>
    Object.keys(OPERATIONS[role]).map((name): [string, AccessRole] => [name, role]),
  );
  expect(rootFields.map((field) => [field.name, findRequiredRole(field)]).sort()).toEqual(known.sort());
});

test('a field that needs more than the role viewer says so in its description', () => {
  for (const field of rootFields) {
    const role = findRequiredRole(field);
    if (role === 'viewer') expect(field.description).not.toContain('Needs the role');
    else expect(field.description).toContain(`Needs the role ${role?.toUpperCase()}.`);
  }
});

let application: TestApplication;
const clients = new Map<AccessRole, ApiClient>();

beforeAll(async () => {
  application = await startTestApplication({
    BLADE_ROLES: 'api',
    BLADE_API_KEYS: 'true',
    ...SECRET_SETTINGS,
  });
  for (const role of ACCESS_ROLES) {
    const authorization = await bearer({ sub: `the ${role}`, role, clearance: 'SECRET' });
    clients.set(role, createApiClient(application.url, authorization));
  }
});

afterAll(async () => {
  for (const client of clients.values()) await client.close();
  await application.close();
});

function findClient(role: AccessRole): ApiClient {
  const client = clients.get(role);
  if (client === undefined) throw new Error(`there is no client of ${role}`);
  return client;
}

async function refusals(): Promise<{ principal_id: string; operation: string; outcome: string }[]> {
  const { rows } = await application.database.pool.query(
    `select principal_id, operation, outcome, job_id, data_source_id, details from audit_entry
     where outcome = 'REFUSED' order by id`,
  );
  return rows;
}

describe.each(ACCESS_ROLES)('%s', (needed) => {
  const queries = Object.entries(OPERATIONS[needed]).filter(([, text]) => !text.startsWith('subscription'));

  test.each(queries)('%s is for it and every greater role, and for no lesser one', async (name, text) => {
    for (const role of ACCESS_ROLES) {
      const before = await refusals();
      const answer = await findClient(role).sendRaw(text);
      const result = answer.data?.[name] as { __typename?: string; message?: string } | null | undefined;
      const after = await refusals();
      if (includesRole(role, needed)) {
        expect(answer.errors).toBeUndefined();
        expect(result?.__typename).not.toBe('ForbiddenError');
        expect(after).toEqual(before);
      } else {
        const message = `this needs the role ${needed.toUpperCase()}; yours is ${role.toUpperCase()}`;
        if (text.startsWith('mutation')) expect(result).toEqual({ __typename: 'ForbiddenError', message });
        else expect(answer.errors).toMatchObject([{ message, extensions: { code: 'FORBIDDEN' } }]);
        expect(after.slice(before.length)).toMatchObject([
          {
            principal_id: `the ${role}`,
            operation: name,
            outcome: 'REFUSED',
            details: { requiredRole: needed },
          },
        ]);
      }
    }
  });
});

test('a refusal names its job or source', async () => {
  await findClient('viewer').sendRaw(OPERATIONS.operator.cancelJob ?? '');
  expect((await refusals()).at(-1)).toMatchObject({ operation: 'cancelJob', job_id: UNKNOWN });
  await findClient('viewer').sendRaw(OPERATIONS.operator.retryJob ?? '');
  expect((await refusals()).at(-1)).toMatchObject({ operation: 'retryJob', job_id: UNKNOWN });
  await findClient('operator').sendRaw(OPERATIONS.admin.deleteDataSource ?? '');
  expect((await refusals()).at(-1)).toMatchObject({ operation: 'deleteDataSource', data_source_id: UNKNOWN });
});

test.each<Transport>(['WebSocket', 'server-sent events'])(
  'a mutation over %s needs its role too',
  async (transport) => {
    const authorization = await bearer({ role: 'viewer' });
    const text = OPERATIONS.operator.stopSync ?? '';
    const subscription = subscribe(application.url, transport, text, {}, authorization);
    expect(await subscription.next()).toMatchObject({
      value: { data: { stopSync: { __typename: 'ForbiddenError' } } },
    });
    await subscription.leave();
  },
);

test('several fields of one request are refused individually', async () => {
  const answer = await findClient('viewer').sendRaw(
    '{ me { principal { name } } dataTypes { name } apiKeys { nodes { name } } }',
  );
  expect(answer.errors).toMatchObject([{ path: ['apiKeys'], extensions: { code: 'FORBIDDEN' } }]);
});

test('callers can query who they are, so that a front end can show it', async () => {
  const authorization = await bearer({
    ...{ sub: 'b7c1', name: 'Maj. Lee', role: ['viewer', 'operator'], clearance: 'ts', exp: 4_000_000_000 },
  });
  const client = createApiClient(application.url, authorization);
  expect((await client.sendRaw(OPERATIONS.viewer.me ?? '')).data).toEqual({
    me: {
      principal: { id: 'Principal:b7c1', name: 'Maj. Lee' },
      ...{ role: 'OPERATOR', clearance: 'TS' },
      expiresAt: '2096-10-02T07:06:40.000Z',
    },
  });
  const plain = createApiClient(application.url, await bearer({ preferred_username: 'lee', name: 7 }));
  expect((await plain.sendRaw('{ me { principal { id name } role clearance } }')).data).toEqual({
    me: { principal: { id: 'Principal:maj.lee', name: 'lee' }, role: 'VIEWER', clearance: 'UNCLASSIFIED' },
  });
});

describe('API keys', () => {
  const CREATE = `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) {
    __typename
    ... on CreateApiKeySuccess { key apiKey { id name prefix role clearance expiresAt revokedAt } }
    ... on InvalidInputError { issues { path code message } }
  } }`;
  const REVOKE = `mutation ($id: ID!) { revokeApiKey(input: { id: $id }) {
    __typename
    ... on RevokeApiKeySuccess { apiKey { id revokedAt } }
    ... on InvalidInputError { issues { path } }
    ... on ApiKeyNotFoundError { apiKeyId message code }
  } }`;

  const create = async (input: object) =>
    (await findClient('admin').sendRaw(CREATE, { input })).data?.createApiKey as {
      key: string;
      apiKey: { id: string; prefix: string };
      issues: { path: string[]; code: string }[];
    };

  test('are created by an admin, authenticate a program with their role, are listed, and are revoked', async () => {
    const made = await create({ name: 'Nightly report', role: 'OPERATOR', clearance: 'CUI' });
    expect(made).toMatchObject({
      __typename: 'CreateApiKeySuccess',
      apiKey: {
        name: 'Nightly report',
        role: 'OPERATOR',
        clearance: 'CUI',
        expiresAt: null,
        revokedAt: null,
      },
    });
    expect(made.key.startsWith(made.apiKey.prefix)).toBe(true);

    const program = createApiClient(application.url, `Bearer ${made.key}`);
    expect((await program.sendRaw(OPERATIONS.viewer.me ?? '')).data).toEqual({
      me: {
        principal: { id: made.apiKey.id.replace('ApiKey:', 'Principal:key:'), name: 'Nightly report' },
        ...{ role: 'OPERATOR', clearance: 'CUI' },
        expiresAt: null,
      },
    });

    const listed = await findClient('admin').sendRaw('{ apiKeys { nodes { id name prefix } } }');
    expect(listed.data?.apiKeys).toMatchObject({
      nodes: expect.arrayContaining([
        expect.objectContaining({ id: made.apiKey.id, prefix: made.apiKey.prefix }),
      ]),
    });
    expect(JSON.stringify(listed)).not.toContain(made.key);

    const { id } = made.apiKey;
    expect((await findClient('admin').sendRaw(REVOKE, { id })).data?.revokeApiKey).toMatchObject({
      apiKey: { id, revokedAt: expect.any(String) },
    });
    expect((await program.sendRaw('{ me { role } }')).status).toBe(401);
  });

  test.each([
    [{ name: ' ', role: 'VIEWER', clearance: 'U' }, 'name', 'INVALID'],
    [{ name: 'x', role: 'VIEWER', clearance: 'TOP_SECRET' }, 'clearance', 'NOT_ALLOWED'],
    [
      { name: 'x', role: 'VIEWER', clearance: 'U', expiresAt: '2020-01-01T00:00:00Z' },
      'expiresAt',
      'OUT_OF_RANGE',
    ],
  ])('are not created from %j', async (input, field, code) => {
    expect((await create(input)).issues).toMatchObject([{ path: ['input', field], code }]);
  });

  test('and audit entries are found by their ids, by an admin of any clearance, and refused to others', async () => {
    const { apiKey } = await create({ name: 'Looked up', role: 'VIEWER', clearance: 'U' });
    const admin = findClient('admin');
    const page = await admin.sendRaw('{ auditEntries(first: 1) { nodes { id } } }');
    const [entry] = (page.data as { auditEntries: { nodes: { id: string }[] } }).auditEntries.nodes;
    const ids = [apiKey.id, entry?.id, `ApiKey:${UNKNOWN}`, `AuditEntry:${UNKNOWN}`];
    const text = 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }';
    const some = createApiClient(application.url, await bearer({ role: 'admin', clearance: 'CUI' }));
    for (const client of [admin, some]) {
      const { data, errors } = await client.sendRaw(text, { ids });
      expect(errors).toBeUndefined();
      expect(data?.nodes).toEqual([{ id: apiKey.id }, { id: entry?.id }, null, null]);
    }
    const before = await refusals();
    const refused = await findClient('viewer').sendRaw(text, { ids: ids.slice(0, 2) });
    expect(refused).toMatchObject({
      data: { nodes: [null, null] },
      errors: [{ extensions: { code: 'FORBIDDEN' } }, { extensions: { code: 'FORBIDDEN' } }],
    });
    expect((await refusals()).length).toBe(before.length + 2);
  });

  test('that are unknown cannot be revoked, and a revoked one stays as it is', async () => {
    const revoke = async (id: string) =>
      (await findClient('admin').sendRaw(REVOKE, { id })).data?.revokeApiKey;
    expect(await revoke(UNKNOWN)).toMatchObject({
      __typename: 'ApiKeyNotFoundError',
      apiKeyId: `ApiKey:${UNKNOWN}`,
      code: 'API_KEY_NOT_FOUND',
    });
    expect(await revoke('x')).toMatchObject({ __typename: 'InvalidInputError' });
    const { apiKey } = await create({ name: 'x', role: 'VIEWER', clearance: 'U' });
    const revoked = await revoke(apiKey.id);
    expect(await revoke(apiKey.id)).toEqual(revoked);
  });
});

test('on a server without credentials, everybody is the local admin', async () => {
  const open = await startTestApplication({ BLADE_ROLES: 'api' });
  await addSource(open, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
  expect((await open.client.sendRaw(OPERATIONS.viewer.me ?? '')).data).toEqual({
    me: {
      principal: { id: 'Principal:local', name: 'Local user' },
      role: 'ADMIN',
      clearance: 'TOP_SECRET',
      expiresAt: null,
    },
  });
  await open.close();
});
