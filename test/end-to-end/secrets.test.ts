import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, vi } from 'vitest';
import { createApiClient } from '../support/api-client.ts';
import { startCatalogServer } from '../support/catalog-server.ts';
import { bearer, SECRET_SETTINGS } from '../support/credentials.ts';
import { test as base } from '../support/on-every-database.ts';
import { findServerPrograms, startPrivateServer } from '../support/private-server.ts';
import type { Program } from '../support/program.ts';
import { subscribe } from '../support/subscriber.ts';
import { writeRows } from '../support/tables.ts';

/** Each is in one setting, and nowhere else. */
const SECRETS = {
  jwt: 'sekret-jwt-0123456789-abcdefghijklmnop',
  database: 'sekret-database-p@ss/word',
  catalog: 'sekret-catalog-token',
  databricks: 'sekret-databricks-token',
  client: 'sekret-databricks-client',
};
/** In no setting, and as secret. */
const PARAMETER = 'sekret-parameter';

const serverPrograms = await findServerPrograms();
const isHere = inject('preparedDatabase').kind === 'server' && serverPrograms !== null;

const test = base
  .extend('server', { scope: 'file' }, async ({}, { onCleanup }) => {
    const server = await startPrivateServer(serverPrograms ?? '');
    onCleanup(() => server.close());
    return server;
  })
  .extend('catalog', ({ open }) => open(startCatalogServer()))
  /** A secret in each setting that can have one, some of them in files. */
  .extend('secretSettings', async ({ catalog, folder, server }) => {
    const inFile = async (name: string, secret: string) => {
      await writeFile(join(folder, name), `${secret}\n`);
      return join(folder, name);
    };
    const databaseUrl = server.url.replace('postgres@', `postgres:${encodeURIComponent(SECRETS.database)}@`);
    return {
      ...SECRET_SETTINGS,
      BLADE_JWT_SECRET: '',
      BLADE_JWT_SECRET_FILE: await inFile('jwt', SECRETS.jwt),
      BLADE_API_KEYS: 'true',
      DATABASE_URL_FILE: await inFile('database', databaseUrl),
      BLADE_DATA_FOLDER: folder,
      BLADE_WORKER_THREADS: '1',
      CATALOG_URL: catalog.url,
      CATALOG_TOKEN: SECRETS.catalog,
      CATALOG_ATTEMPTS: '1',
      CATALOG_MAX_OUTAGE_MS: '100',
      LOG_LEVEL: 'trace',
    };
  });

/** Sends requests in every way, and keeps the answers. */
function createDriver(program: Program, authorization: string) {
  const answers: string[] = [];
  const client = createApiClient(program.url, authorization);
  return {
    answers,
    async ask<Result>(text: string, variables: Record<string, unknown> = {}): Promise<Result> {
      const answer = await client.sendRaw(text, variables);
      answers.push(JSON.stringify(answer));
      return Object.values(answer.data ?? {})[0] as Result;
    },
    async untilEnd(id: string): Promise<void> {
      const query = `subscription ($id: ID!) { jobProgress(id: $id) { state failureReason recentErrors progress { currentOperation } } }`;
      const subscription = subscribe(program.url, 'server-sent events', query, { id }, authorization);
      for await (const answer of subscription) answers.push(JSON.stringify(answer));
    },
    async get(path: string, headers: Record<string, string> = {}): Promise<void> {
      const answer = await fetch(new URL(path, program.url), { headers });
      answers.push(JSON.stringify([...answer.headers]), await answer.text());
    },
    close: () => client.close(),
  };
}

const ALL_OF_JOB = `query ($id: ID!) { job(id: $id) {
  state failureReason recentErrors progress { currentOperation }
  configuration { ... on QueryConfiguration { sqlQuery parameterNames metadata } ... on SyncConfiguration { filter } }
  partitions { nodes { state message } } dataSources { name lastSyncMessage }
  errors { edges { node { message row } } }
} }`;
const EVERYTHING = [
  '{ auditEntries(first: 200) { edges { node { operation details principal { name } } } } }',
  '{ apiKeys { nodes { name prefix } } }',
  '{ dataSources { nodes { name lastSyncMessage } } }',
  '{ items { edges { node { data metadata catalogId } } } }',
  '{ me { principal { id name } role } }',
];
const START = 'mutation { startSync(input: { syncType: FULL }) { ... on StartSyncSuccess { job { id } } } }';
const QUERY_JOB = `mutation ($value: JSONValue) { startQueryJob(input: { dataType: "sortie",
  sqlQuery: "SELECT *, CAST(:value AS INTEGER) AS n FROM blade.field.sortie", parameters: { value: $value } }) {
  ... on StartQueryJobSuccess { job { id } } ... on UserError { message } } }`;
const SAVE = `mutation { createDataSource(input: { name: "Sorties", dataType: "sortie", catalogName: "blade",
  schemaName: "field", tableName: "sortie" }) { ... on CreateDataSourceSuccess { dataSource { id } } } }`;
const TEST = `mutation ($id: ID!) { testDataSource(input: { id: $id }) { ... on TestDataSourceSuccess { isReadable problem } } }`;

type Started = { job: { id: string } };

function expectNoSecret(texts: readonly string[]): void {
  const seen = texts.join('\n');
  for (const secret of [...Object.values(SECRETS), PARAMETER]) {
    for (const form of [
      secret,
      encodeURIComponent(secret),
      btoa(secret),
      `client:${secret}`,
      btoa(`client:${secret}`),
    ]) {
      expect(seen).not.toContain(form);
    }
  }
}

test.skipIf(!isHere)(
  'no secret of any setting appears in a log line or an answer, whatever fails',
  async ({ catalog, folder, secretSettings, server, startProgram }) => {
    const program = await startProgram(secretSettings);
    const authorization = await bearer({ role: 'admin', clearance: 'TOP SECRET' }, SECRETS.jwt);
    const driver = createDriver(program, authorization);
    const { ask } = driver;
    await writeRows(join(folder, 'warehouse'), 'sortie', [
      { item_id: 'a', flight_hours: 1 },
      { flight_hours: 'x' },
    ]);
    const { dataSource } = await ask<{ dataSource: { id: string } }>(SAVE);
    await ask(TEST, dataSource);

    const runSync = async () => {
      const { job } = await ask<Started>(START);
      await driver.untilEnd(job.id);
      await ask(ALL_OF_JOB, job);
    };
    await runSync();
    // A catalog that echoes the credential, for each way to refuse an upload.
    for (const status of [400, 401, 403, 500]) {
      catalog.answerWith(() => ({
        status,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ message: `no such token: Bearer ${SECRETS.catalog}` }),
      }));
      await writeRows(join(folder, 'warehouse'), 'sortie', [{ item_id: `of ${status}`, flight_hours: 2 }]);
      await runSync();
    }
    const { job } = await ask<Started>(QUERY_JOB, { value: PARAMETER });
    await driver.untilEnd(job.id);
    await ask(ALL_OF_JOB, job);
    await ask(TEST, { id: '01997f3e-8c1a-7000-8000-000000000000' });

    // Invalid credentials, including secrets in their place.
    for (const wrong of [...Object.values(SECRETS), `blade_${SECRETS.jwt}`]) {
      await driver.get('/graphql?query={me{id}}', { authorization: `Bearer ${encodeURIComponent(wrong)}` });
      const subscription = subscribe(program.url, 'WebSocket', '{ me { role } }', {}, `Bearer ${wrong}`);
      await subscription
        .next()
        .catch((error: { reason?: string }) => driver.answers.push(String(error.reason)));
    }
    for (const text of EVERYTHING) await ask(text);
    await driver.get('/health/ready');

    await server.stop('immediate');
    for (const text of [...EVERYTHING, START, SAVE]) await ask(text);
    await driver.get('/health/ready');
    await server.start();
    await vi.waitFor(async () => expect(await ask('{ jobs { totalCount } }')).toBeTruthy(), 30_000);
    await runSync();

    await driver.close();
    await program.end('SIGTERM');
    expect(driver.answers.join('\n')).toMatch(/no such token: Bearer \[(token|redacted)\]/);
    expect(program.lines.length).toBeGreaterThan(20);
    expectNoSecret([...program.lines, ...driver.answers]);
    expect([...program.lines, ...driver.answers].join('\n')).not.toContain(authorization.slice(-40));
  },
  180_000,
);

test.skipIf(!isHere).for<[how: string, signIn: Record<string, string>]>([
  ['token', { DATABRICKS_TOKEN: SECRETS.databricks }],
  ['client', { DATABRICKS_CLIENT_ID: 'client', DATABRICKS_CLIENT_SECRET: SECRETS.client }],
])(
  'nor does one of an unreachable warehouse with a %s',
  { timeout: 180_000 },
  async ([, signIn], { secretSettings, startProgram }) => {
    const program = await startProgram({
      ...secretSettings,
      ...signIn,
      ...{
        DATABRICKS_HOST: '127.0.0.1',
        DATABRICKS_PORT: '1',
        DATABRICKS_HTTP_PATH: '/sql/1.0/warehouses/x',
      },
    });
    const authorization = await bearer({ role: 'admin', clearance: 'TOP SECRET' }, SECRETS.jwt);
    const driver = createDriver(program, authorization);
    await driver.ask(SAVE);
    const sources = await driver.ask<{ nodes: { id: string }[] }>('{ dataSources { nodes { id } } }');
    await driver.ask(TEST, { id: sources.nodes[0]?.id });
    expect(driver.answers.at(-1)).toContain('"isReadable":false');
    await driver.get('/health/ready');
    await driver.close();
    await program.end('SIGTERM');
    expectNoSecret([...program.lines, ...driver.answers]);
  },
);

test.skipIf(!isHere)(
  'nor does one when the program cannot start',
  async ({ secretSettings, server, startProgram }) => {
    for (const url of [
      `postgresql://postgres:${encodeURIComponent(SECRETS.database)}@127.0.0.1:1/postgres`,
      server.url.replace('postgres@', `nobody:${encodeURIComponent(SECRETS.database)}@`),
    ]) {
      const { DATABASE_URL_FILE: _file, ...others } = secretSettings;
      const problem = await startProgram({ ...others, DATABASE_URL: url }).then(
        () => 'it started',
        (error: Error) => error.message,
      );
      expect(problem).toMatch(/The program ended:\n.+/s);
      expectNoSecret([problem]);
    }
  },
);
