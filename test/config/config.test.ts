import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConfigError, parseConfig, secretNames } from '../../src/config/config.ts';

function faultsOf(environment: Record<string, string>): string {
  try {
    parseConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('the environment was accepted');
}

test('nothing has to be set: database, warehouse and catalog are folders below .blade', () => {
  const config = parseConfig({});
  expect(config).toMatchObject({
    host: '127.0.0.1',
    port: 4000,
    databaseUrl: undefined,
    warehouse: { kind: 'duckdb', folder: expect.stringMatching(/\.blade.warehouse$/) },
    catalog: { kind: 'folder', folder: expect.stringMatching(/\.blade.catalog$/) },
    demoData: true,
  });
  expect([...config.roles]).toEqual(['api', 'worker']);
});

test('a variable that is set to nothing counts as not set', () => {
  expect(parseConfig({ PORT: '', DATABASE_URL: '' })).toMatchObject({ port: 4000, databaseUrl: undefined });
});

test('schemas that may be read are a list of names with stars', () => {
  expect(parseConfig({ BLADE_ALLOWED_SCHEMAS: 'blade.field, archive.*' }).warehouse.allowedSchemas).toEqual([
    { catalog: 'blade', schema: 'field' },
    { catalog: 'archive', schema: '*' },
  ]);
  expect(faultsOf({ BLADE_ALLOWED_SCHEMAS: 'blade' })).toContain('\n  BLADE_ALLOWED_SCHEMAS: must be a list');
});

test('every variable that is wrong is named at once, with what would be right', () => {
  const faults = faultsOf({
    PORT: 'eighty',
    BLADE_ROLES: 'api,boss',
    DATABASE_URL: 'mysql://nobody',
    BLADE_WORKER_THREADS: '0',
    LOG_LEVEL: 'loud',
    CATALOG_URL: 'ftp://catalog',
    DATABRICKS_HOST: 'https://dbc-1.cloud.databricks.com',
  });
  for (const name of [
    'PORT',
    'BLADE_ROLES',
    'DATABASE_URL',
    'BLADE_WORKER_THREADS',
    'LOG_LEVEL',
    'CATALOG_URL',
    'DATABRICKS_HOST',
  ]) {
    expect(faults).toContain(`\n  ${name}`);
  }
  expect(faults).toContain('postgresql://user@host:5432/database');
});

test.each([
  [{ DATABRICKS_HOST: 'dbc-1.cloud.databricks.com' }, ['DATABRICKS_HTTP_PATH', 'DATABRICKS_TOKEN']],
  [{ DATABRICKS_HTTP_PATH: '/sql/1.0/warehouses/1' }, ['DATABRICKS_HOST']],
  [{ DATABRICKS_CLIENT_ID: 'id' }, ['DATABRICKS_CLIENT_SECRET']],
  [{ DATABRICKS_CLIENT_SECRET: 'very-secret' }, ['DATABRICKS_CLIENT_ID']],
  [{ BLADE_JWT_SECRET: 'very-secret'.repeat(4) }, ['BLADE_JWT_ISSUER', 'BLADE_JWT_AUDIENCE']],
  [{ BLADE_JWT_JWKS_URL: 'https://login.example.com/keys' }, ['BLADE_JWT_ISSUER', 'BLADE_JWT_AUDIENCE']],
])('of settings that need each other, those that lack are named: %j', (environment, names) => {
  const faults = faultsOf(environment);
  for (const name of names) expect(faults).toContain(`\n  ${name}:`);
  expect(faults).not.toContain('very-secret');
});

test.each([
  [{ DATABRICKS_TOKEN: 'dapi123' }, { kind: 'token', token: 'dapi123' }],
  [
    { DATABRICKS_CLIENT_ID: 'id', DATABRICKS_CLIENT_SECRET: 'secret' },
    { kind: 'oauth', clientId: 'id', clientSecret: 'secret' },
  ],
])('with a workspace and %j rows come from Databricks', (signIn, credentials) => {
  const workspace = {
    DATABRICKS_HOST: 'dbc-1.cloud.databricks.com',
    DATABRICKS_HTTP_PATH: '/sql/1.0/warehouses/1',
  };
  expect(parseConfig({ ...workspace, ...signIn }).warehouse).toMatchObject({
    kind: 'databricks',
    host: workspace.DATABRICKS_HOST,
    httpPath: workspace.DATABRICKS_HTTP_PATH,
    credentials,
  });
});

test('with a catalog URL items go to that service, within the limits that are set', () => {
  const { catalog } = parseConfig({
    CATALOG_URL: 'https://catalog.example.com/api',
    CATALOG_TOKEN: 'abc',
    CATALOG_CONCURRENCY: '4',
    CATALOG_REQUESTS_PER_SECOND: '2.5',
  });
  expect(catalog).toMatchObject({
    kind: 'http',
    url: 'https://catalog.example.com/api',
    token: 'abc',
    concurrency: 4,
    requestsPerSecond: 2.5,
  });
});

test('a secret in a variable that is wrong is not repeated', () => {
  const faults = faultsOf({
    DATABASE_URL: 'postgres//user:hunter2@host',
    CATALOG_URL: 'https://user:hunter2@catalog',
    CATALOG_TOKEN: 'hunter2 hunter2',
  });
  expect(faults).not.toContain('hunter2');
});

describe('a server that asks nobody who they are', () => {
  test.each(['127.0.0.1', '127.3.2.1', '::1', 'localhost'])('listens on %s', (host) => {
    expect(parseConfig({ HOST: host }).host).toBe(host);
  });

  test.each(['0.0.0.0', '::', '10.1.2.3', 'blade.example.com', '127.evil.example'])(
    'does not listen on %s, and says why and what to set',
    (host) => {
      const faults = faultsOf({ HOST: host });
      expect(faults).toContain(`HOST: others can reach ${host}`);
      expect(faults).toMatch(/BLADE_JWT_SECRET.*BLADE_JWT_JWKS_URL.*BLADE_API_KEYS=true/);
    },
  );

  test.each([
    { BLADE_API_KEYS: 'true' },
    {
      BLADE_JWT_SECRET: 'x'.repeat(32),
      BLADE_JWT_ISSUER: 'https://login.example.com',
      BLADE_JWT_AUDIENCE: 'blade',
    },
    // It serves nothing but its health.
    { BLADE_ROLES: 'worker' },
  ])('is none with %j, and listens anywhere', (settings) => {
    expect(parseConfig({ HOST: '0.0.0.0', ...settings }).host).toBe('0.0.0.0');
  });
});

test('what is shown of the settings is what is in effect, and of a secret only that it is set', () => {
  const { shown } = parseConfig({ CATALOG_TOKEN: 'hunter22', BLADE_WORKER_THREADS: '3' });
  expect(shown).toMatchObject({ CATALOG_TOKEN: 'set', BLADE_WORKER_THREADS: 3, PORT: 4000 });
  expect(JSON.stringify(shown)).not.toContain('hunter22');
});

test('traces are sent only where a collector is set, below its address and with its headers', () => {
  expect(parseConfig({}).tracing).toBeNull();
  expect(
    parseConfig({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318/',
      OTEL_EXPORTER_OTLP_HEADERS: 'api-key=abc%3D,tenant=ops',
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.25',
    }).tracing,
  ).toEqual({
    url: 'http://127.0.0.1:4318/v1/traces',
    headers: { 'api-key': 'abc=', tenant: 'ops' },
    sampler: 'parentbased_traceidratio',
    ratio: 0.25,
  });
});

describe('a secret in a file', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'blade-test-'));
  });

  afterAll(() => rm(folder, { recursive: true }));

  async function fileOf(name: string, content: string): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, content);
    return path;
  }

  const goodValues: Record<(typeof secretNames)[number], string> = {
    BLADE_JWT_SECRET: 'j'.repeat(32),
    DATABASE_URL: 'postgresql://blade:passw0rd@db.example.com/blade',
    DATABRICKS_TOKEN: 'dapi123',
    DATABRICKS_CLIENT_SECRET: 'client-secret',
    CATALOG_TOKEN: 'catalog-token',
    OTEL_EXPORTER_OTLP_HEADERS: 'api-key=abc%3D,tenant=ops',
  };
  const beside = {
    ...{ BLADE_JWT_ISSUER: 'https://login.example.com', BLADE_JWT_AUDIENCE: 'blade' },
    DATABRICKS_CLIENT_ID: 'client',
  };

  test.each(secretNames)('%s is as good as one in the variable', async (name) => {
    const { [name]: value, ...others } = { ...goodValues, ...beside };
    const inVariable = parseConfig({ ...others, [name]: value });
    const path = await fileOf(name, `${value}\n`);
    expect(parseConfig({ ...others, [`${name}_FILE`]: path })).toEqual(inVariable);
    expect(inVariable.secrets.length).toBeGreaterThanOrEqual(secretNames.length);
  });

  test.each(secretNames)('%s is refused where both are set, and both are named', async (name) => {
    const path = await fileOf(name, goodValues[name]);
    const faults = faultsOf({ ...beside, [name]: goodValues[name], [`${name}_FILE`]: path });
    expect(faults).toContain(`${name}_FILE: is set together with ${name}; set one of them`);
    expect(faults).not.toContain(goodValues[name]);
  });

  test('that cannot be read is named, and one that is wrong is not repeated', async () => {
    for (const path of [join(folder, 'missing'), folder]) {
      expect(faultsOf({ CATALOG_TOKEN_FILE: path })).toContain('CATALOG_TOKEN_FILE: names no file that can');
    }
    const faults = faultsOf({ DATABASE_URL_FILE: await fileOf('wrong', 'hunter2') });
    expect(faults).toContain('\n  DATABASE_URL:');
    expect(faults).not.toContain('hunter2');
  });
});
