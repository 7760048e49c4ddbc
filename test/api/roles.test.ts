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
    me: '{ me { id name role clearance expiresAt } }',
    node: `{ node(id: "Job:${UNKNOWN}") { id } }`,
    job: `{ job(id: "${UNKNOWN}") { id } }`,
    jobs: '{ jobs { totalCount } }',
    syncStatus: '{ syncStatus { state } }',
    dataSources: '{ dataSources { name } }',
    dataSource: `{ dataSource(id: "${UNKNOWN}") { name } }`,
    items: '{ items { totalCount } }',
    item: '{ item(dataType: "sortie", itemId: "x") { itemId } }',
    dataTypes: '{ dataTypes { name } }',
    jobProgress: `subscription { jobProgress(id: "${UNKNOWN}") { id } }`,
    syncProgress: 'subscription { syncProgress { state } }',
    jobChanges: 'subscription { jobChanges { id } }',
  },
  operator: {
    startSync: 'mutation { startSync(input: { syncType: FULL }) { __typename ... on Error { message } } }',
    stopSync: 'mutation { stopSync { __typename ... on Error { message } } }',
    startQueryJob:
      'mutation { startQueryJob(input: { dataType: "sortie", sqlQuery: "SELECT * FROM blade.field.sortie" }) { __typename ... on Error { message } } }',
    cancelJob: `mutation { cancelJob(id: "Job:${UNKNOWN}") { __typename ... on Error { message } } }`,
    pauseJob: `mutation { pauseJob(id: "Job:${UNKNOWN}") { __typename ... on Error { message } } }`,
    resumeJob: `mutation { resumeJob(id: "Job:${UNKNOWN}") { __typename ... on Error { message } } }`,
    retryJob: `mutation { retryJob(input: { id: "Job:${UNKNOWN}" }) { __typename ... on Error { message } } }`,
    lowerItemMarking:
      'mutation { lowerItemMarking(input: { dataType: "sortie", itemId: "x", expectedFloor: "TS", reason: "x" }) { __typename ... on Error { message } } }',
    testDataSource: `mutation { testDataSource(id: "DataSource:${UNKNOWN}") { __typename ... on Error { message } } }`,
  },
  admin: {
    saveDataSource:
      'mutation { saveDataSource(input: { name: "x", dataType: "sortie", catalogName: "a", schemaName: "b", tableName: "c" }) { __typename ... on Error { message } } }',
    deleteDataSource: `mutation { deleteDataSource(id: "DataSource:${UNKNOWN}") { __typename ... on Error { message } } }`,
    repairCatalog: 'mutation { repairCatalog { __typename ... on Error { message } } }',
    apiKeys: '{ apiKeys { name } }',
    createApiKey:
      'mutation { createApiKey(input: { name: "x", role: VIEWER, clearance: "U" }) { __typename ... on Error { message } } }',
    revokeApiKey: `mutation { revokeApiKey(id: "${UNKNOWN}") { __typename ... on Error { message } } }`,
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
  const answer = await findClient('viewer').sendRaw('{ me { name } dataTypes { name } apiKeys { name } }');
  expect(answer.errors).toMatchObject([{ path: ['apiKeys'], extensions: { code: 'FORBIDDEN' } }]);
});

test('callers can query who they are, so that a front end can show it', async () => {
  const authorization = await bearer({
    ...{ sub: 'b7c1', name: 'Maj. Lee', role: ['viewer', 'operator'], clearance: 'ts', exp: 4_000_000_000 },
  });
  const client = createApiClient(application.url, authorization);
  expect((await client.sendRaw(OPERATIONS.viewer.me ?? '')).data).toEqual({
    me: {
      ...{ id: 'b7c1', name: 'Maj. Lee', role: 'OPERATOR', clearance: 'TS' },
      expiresAt: '2096-10-02T07:06:40.000Z',
    },
  });
  const plain = createApiClient(application.url, await bearer({ preferred_username: 'lee', name: 7 }));
  expect((await plain.sendRaw('{ me { id name role clearance } }')).data).toEqual({
    me: { id: 'maj.lee', name: 'lee', role: 'VIEWER', clearance: 'UNCLASSIFIED' },
  });
});

describe('API keys', () => {
  const CREATE = `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) {
    __typename
    ... on CreateApiKeySuccess { key apiKey { id name prefix role clearance expiresAt revokedAt } }
    ... on InvalidInputError { issues { field message } }
  } }`;
  const REVOKE = `mutation ($id: ID!) { revokeApiKey(id: $id) {
    __typename
    ... on RevokeApiKeySuccess { apiKey { id revokedAt } }
    ... on InvalidInputError { issues { field } }
    ... on ApiKeyNotFoundError { id message }
  } }`;

  const create = async (input: object) =>
    (await findClient('admin').sendRaw(CREATE, { input })).data?.createApiKey as {
      key: string;
      apiKey: { id: string; prefix: string };
      issues: { field: string }[];
    };

  test('are created by an admin, authenticate a program with their role, are listed, and are revoked', async () => {
    const made = await create({ name: 'Nightly report', role: 'OPERATOR', clearance: 'cui' });
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
        ...{ id: `key:${made.apiKey.id}`, name: 'Nightly report', role: 'OPERATOR', clearance: 'CUI' },
        expiresAt: null,
      },
    });

    const listed = await findClient('admin').sendRaw('{ apiKeys { id name prefix } }');
    expect(listed.data?.apiKeys).toContainEqual(
      expect.objectContaining({ id: made.apiKey.id, prefix: made.apiKey.prefix }),
    );
    expect(JSON.stringify(listed)).not.toContain(made.key);

    const { id } = made.apiKey;
    expect((await findClient('admin').sendRaw(REVOKE, { id })).data?.revokeApiKey).toMatchObject({
      apiKey: { id, revokedAt: expect.any(String) },
    });
    expect((await program.sendRaw('{ me { id } }')).status).toBe(401);
  });

  test.each([
    [{ name: ' ', role: 'VIEWER', clearance: 'U' }, 'input.name'],
    [{ name: 'x', role: 'VIEWER', clearance: 'COSMIC' }, 'input.clearance'],
    [{ name: 'x', role: 'VIEWER', clearance: 'TOP SECRET' }, 'input.clearance'],
    [{ name: 'x', role: 'VIEWER', clearance: 'U', expiresAt: '2020-01-01T00:00:00Z' }, 'input.expiresAt'],
  ])('are not created from %j', async (input, field) => {
    expect((await create(input)).issues).toMatchObject([{ field }]);
  });

  test('that are unknown cannot be revoked, and a revoked one stays as it is', async () => {
    const revoke = async (id: string) =>
      (await findClient('admin').sendRaw(REVOKE, { id })).data?.revokeApiKey;
    expect(await revoke(UNKNOWN)).toMatchObject({ __typename: 'ApiKeyNotFoundError', id: UNKNOWN });
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
    me: { id: 'local', name: 'Local user', role: 'ADMIN', clearance: 'TOP SECRET', expiresAt: null },
  });
  await open.close();
});
