import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { listVariables, loadConfig } from '../../src/config/config.ts';
import { ConfigError, loadSettings } from '../../src/config/load.ts';
import { createRegistry } from '../../src/plugins/registry.ts';
import { defineSettings, secret, wholeNumber } from '../../src/shared/settings.ts';

function findFaults(environment: Record<string, string>): string {
  try {
    loadConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('the environment was accepted');
}

test('without any setting, database, warehouse and catalog are folders in .blade', () => {
  const config = loadConfig({});
  expect(config).toMatchObject({
    http: { host: '127.0.0.1', port: 4000 },
    database: { url: undefined, folder: expect.stringMatching(/\.blade.database$/) },
    warehouse: {
      name: 'duckdb',
      settings: {
        folder: expect.stringMatching(/\.blade.warehouse$/),
        hasDemoData: true,
        memoryMegabytes: 2000,
        diskMegabytes: 8_000,
      },
    },
    catalog: { name: 'folder', settings: { folder: expect.stringMatching(/\.blade.catalog$/) } },
  });
  expect([...config.roles]).toEqual(['api', 'worker']);
});

test('an empty variable counts as absent', () => {
  expect(loadConfig({ PORT: '', DATABASE_URL: '' })).toMatchObject({
    http: { port: 4000 },
    database: { url: undefined },
  });
});

test('the schemas that may be read are a list of names, with * for any', () => {
  expect(loadConfig({ BLADE_ALLOWED_SCHEMAS: 'blade.field, archive.*' }).warehouse.allowedSchemas).toEqual([
    { catalog: 'blade', schema: 'field' },
    { catalog: 'archive', schema: '*' },
  ]);
  expect(findFaults({ BLADE_ALLOWED_SCHEMAS: 'blade' })).toContain(
    '\n  BLADE_ALLOWED_SCHEMAS: must be a list',
  );
});

test('every wrong variable is named at once, with what would work', () => {
  const faults = findFaults({
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
])('settings that must be set together are named if one is missing: %j', (environment, names) => {
  const faults = findFaults(environment);
  for (const name of names) expect(faults).toContain(`\n  ${name}:`);
  expect(faults).not.toContain('very-secret');
});

test.each([
  [{ DATABRICKS_TOKEN: 'dapi123' }, { kind: 'token', token: 'dapi123' }],
  [
    { DATABRICKS_CLIENT_ID: 'id', DATABRICKS_CLIENT_SECRET: 'secret' },
    { kind: 'oauth', clientId: 'id', clientSecret: 'secret' },
  ],
])('with a workspace and %j, rows come from Databricks', (signIn, credentials) => {
  const workspace = {
    DATABRICKS_HOST: 'dbc-1.cloud.databricks.com',
    DATABRICKS_HTTP_PATH: '/sql/1.0/warehouses/1',
  };
  expect(loadConfig({ ...workspace, ...signIn }).warehouse).toMatchObject({
    name: 'databricks',
    settings: {
      host: workspace.DATABRICKS_HOST,
      httpPath: workspace.DATABRICKS_HTTP_PATH,
      credentials,
    },
  });
});

test('with a Spark Connect URL, rows come from that Spark, and its token is not shown', () => {
  const { warehouse, effective, secrets } = loadConfig({ SPARK_REMOTE: 'sc://spark:443/;token=very-secret' });
  expect(warehouse).toMatchObject({
    name: 'spark',
    settings: { host: 'spark', port: 443, isSecure: true, token: 'very-secret' },
  });
  expect(effective.SPARK_REMOTE).toBe('set');
  expect(secrets).toContain('very-secret');
  expect(findFaults({ SPARK_REMOTE: 'sc://spark/very-secret' })).toContain('\n  SPARK_REMOTE: must have');
});

test('Databricks and Spark Connect at once are refused by name', () => {
  const faults = findFaults({
    SPARK_REMOTE: 'sc://spark',
    DATABRICKS_HOST: 'dbc-1.cloud.databricks.com',
    DATABRICKS_HTTP_PATH: '/sql/1.0/warehouses/1',
    DATABRICKS_TOKEN: 'dapi123',
  });
  expect(faults).toContain(
    '\n  SPARK_REMOTE: the warehouses databricks and spark are both set up: unset it or DATABRICKS_HOST',
  );
});

test('with a catalog URL, items go to that service within the configured limits', () => {
  const { catalog } = loadConfig({
    CATALOG_URL: 'https://catalog.example.com/api',
    CATALOG_TOKEN: 'abc',
    CATALOG_CONCURRENCY: '4',
    CATALOG_REQUESTS_PER_SECOND: '2.5',
  });
  expect(catalog).toMatchObject({
    name: 'http',
    settings: {
      url: 'https://catalog.example.com/api',
      token: 'abc',
      concurrency: 4,
      requestsPerSecond: 2.5,
    },
  });
});

describe('the URL of a PostgreSQL server', () => {
  const url = 'postgresql://blade@db.example.com/blade';

  test.each([
    '',
    '?schema=public',
    '?sslmode=require&application_name=blade&connect_timeout=10',
    '?sslmode=verify-full&sslrootcert=/etc/ssl/root.crt',
    '?host=/run/postgresql',
    '?options=-c%20work_mem%3D64MB',
    '?channel_binding=prefer&target_session_attrs=any&pgbouncer=false',
  ])('may have the parameters %s', (parameters) => {
    expect(loadConfig({ DATABASE_URL: `${url}${parameters}` }).database.url).toBe(`${url}${parameters}`);
  });

  test.each([
    ['schema=blade', 'the tables are in the schema public: use a separate database instead of a schema'],
    ['schema=public&schema=blade', 'the tables are in the schema public'],
    ['connection_limit=5', 'connection_limit has no effect: the number of connections follows'],
    ['pgbouncer=true', 'notifications need a dedicated session'],
    ['pool_timeout=5', 'pool_timeout has no effect'],
    ['socket_timeout=5', 'socket_timeout has no effect'],
    ['sslaccept=strict', 'use sslmode=no-verify or sslmode=verify-full'],
    ['sslmode=requre', 'sslmode cannot have this value: use disable, prefer, require'],
    ['ssl=false', 'ssl cannot have this value: use true, 1, 0, no-verify'],
    ['connect_timeout=soon', 'connect_timeout cannot have this value: use a whole number'],
    ['channel_binding=require', 'the driver cannot insist on it'],
    ['options=-c%20search_path%3Dblade', 'options sets search_path, but each session sets it for itself'],
    ['options=-c%20geqo%3Doff%20--timezone%3DCET', 'options sets timezone, but each session sets it'],
    ['options=--statement-timeout%3D5', 'options sets statement_timeout, but each session sets it'],
    ['statement_timeout=5000', 'statement_timeout has no effect: each session sets it for itself'],
    ['binary=true', 'binary has no effect: remove it, or use host, port,'],
    ['constructor=x', 'constructor has no effect: remove it'],
  ])('is refused with %s, which would not be obeyed', (parameters, problem) => {
    expect(findFaults({ DATABASE_URL: `${url}?${parameters}` })).toContain(`\n  DATABASE_URL: `);
    expect(findFaults({ DATABASE_URL: `${url}?${parameters}` })).toContain(problem);
  });

  test('is refused without a word of a password in it', () => {
    const faults = findFaults({
      DATABASE_URL: `${url}?password=hunter2&sslpassword=hunter2&sslmode=hunter2`,
    });
    expect(faults).toContain('sslpassword has no effect');
    expect(faults).not.toContain('hunter2');
  });
});

test('the message about a wrong variable never shows a secret in it', () => {
  const faults = findFaults({
    DATABASE_URL: 'postgres//user:hunter2@host',
    CATALOG_URL: 'https://user:hunter2@catalog',
    CATALOG_TOKEN: 'hunter2 hunter2',
  });
  expect(faults).not.toContain('hunter2');
});

describe('a server that needs no credential', () => {
  test.each(['127.0.0.1', '127.3.2.1', '::1', 'localhost'])('listens on %s', (host) => {
    expect(loadConfig({ HOST: host }).http.host).toBe(host);
  });

  test.each(['0.0.0.0', '::', '10.1.2.3', 'blade.example.com', '127.evil.example'])(
    'does not listen on %s, and says why and what to set instead',
    (host) => {
      const faults = findFaults({ HOST: host });
      expect(faults).toContain(`HOST: other machines can reach ${host}`);
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
  ])('is not one with %j, so it listens anywhere', (settings) => {
    expect(loadConfig({ HOST: '0.0.0.0', ...settings }).http.host).toBe('0.0.0.0');
  });
});

test('the effective settings are shown, and of a secret only that it is set', () => {
  const { effective } = loadConfig({ CATALOG_TOKEN: 'hunter22', BLADE_WORKER_THREADS: '3' });
  expect(effective).toMatchObject({ CATALOG_TOKEN: 'set', BLADE_WORKER_THREADS: 3, PORT: 4000 });
  expect(JSON.stringify(effective)).not.toContain('hunter22');
});

test('traces are sent only if a collector is set, to a path below its address and with its headers', () => {
  expect(loadConfig({}).tracing).toBeNull();
  expect(
    loadConfig({
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

  async function writeSecret(name: string, content: string): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, content);
    return path;
  }

  const goodValues: Record<string, string> = {
    BLADE_JWT_SECRET: 'j'.repeat(32),
    DATABASE_URL: 'postgresql://blade:passw0rd@db.example.com/blade',
    DATABRICKS_TOKEN: 'dapi123',
    DATABRICKS_CLIENT_SECRET: 'client-secret',
    SPARK_REMOTE: 'sc://spark.example.com/;token=spark-token',
    CATALOG_TOKEN: 'catalog-token',
    OTEL_EXPORTER_OTLP_HEADERS: 'api-key=abc%3D,tenant=ops',
  };
  const secretNames = Object.keys(goodValues);

  test('can be each of the settings that are secret', () => {
    const secretVariables = listVariables().filter(({ isSecret }) => isSecret);
    expect(secretVariables.map(({ name }) => name).sort()).toEqual(secretNames.toSorted());
  });

  const beside = {
    ...{ BLADE_JWT_ISSUER: 'https://login.example.com', BLADE_JWT_AUDIENCE: 'blade' },
    DATABRICKS_CLIENT_ID: 'client',
  };

  test.each(secretNames)('%s works like one in the variable', async (name) => {
    const { [name]: value = '', ...others }: Record<string, string> = { ...goodValues, ...beside };
    const registry = createRegistry([]);
    const inVariable = loadConfig({ ...others, [name]: value }, registry);
    const path = await writeSecret(name, `${value}\n`);
    expect(loadConfig({ ...others, [`${name}_FILE`]: path }, registry)).toEqual(inVariable);
    expect(inVariable.secrets.length).toBeGreaterThanOrEqual(secretNames.length);
  });

  test.each(secretNames)('%s is refused if both are set, and both are named', async (name) => {
    const value = goodValues[name] ?? '';
    const path = await writeSecret(name, value);
    const faults = findFaults({ ...beside, [name]: value, [`${name}_FILE`]: path });
    expect(faults).toContain(`${name}_FILE: is set together with ${name}; set one of them`);
    expect(faults).not.toContain(value);
  });

  test('is named if it cannot be read, and not shown if it is wrong', async () => {
    for (const path of [join(folder, 'missing'), folder]) {
      expect(findFaults({ CATALOG_TOKEN_FILE: path })).toContain(
        'CATALOG_TOKEN_FILE: names no file that can',
      );
    }
    const faults = findFaults({ DATABASE_URL_FILE: await writeSecret('wrong', 'hunter2') });
    expect(faults).toContain('\n  DATABASE_URL:');
    expect(faults).not.toContain('hunter2');
  });
});

describe('a part that brings its own slice of settings', () => {
  const tank = defineSettings({
    variables: {
      FUEL_TANK_LITRES: wholeNumber(1, 100).default(10).describe('Size of the tank.'),
      FUEL_TOKEN: secret(z.string().optional().describe('Token of the pump.')),
    },
    toSettings: (values) => ({ litres: values.FUEL_TANK_LITRES }),
  });
  const pump = defineSettings({
    variables: { FUEL_PUMP_LITRES: wholeNumber(1, 100).default(1).describe('What one stroke moves.') },
    needs: { tank },
    check({ FUEL_PUMP_LITRES: litres }, needed, refuse) {
      if (litres > needed.tank.litres) refuse('FUEL_PUMP_LITRES', 'must not exceed FUEL_TANK_LITRES');
    },
    toSettings: ({ FUEL_PUMP_LITRES: litres }, needed) => ({ strokes: needed.tank.litres / litres }),
  });

  test('gets them from those of the parts that it needs, and has its secrets hidden', () => {
    const environment = { FUEL_TANK_LITRES: '20', FUEL_PUMP_LITRES: '5', FUEL_TOKEN: 'hunter2' };
    const { settings, effective, secrets } = loadSettings({ pump }, environment);
    expect(settings.pump.strokes).toBe(4);
    expect(effective).toEqual({ FUEL_TANK_LITRES: 20, FUEL_PUMP_LITRES: 5, FUEL_TOKEN: 'set' });
    expect(secrets).toEqual(['hunter2']);
  });

  test('has its faults reported together with those of other parts', () => {
    const other = defineSettings({
      variables: { FUEL_KIND: z.enum(['JP-8'], { error: 'must be JP-8' }).describe('What it holds.') },
      toSettings: (values) => values.FUEL_KIND,
    });
    expect(() => loadSettings({ pump, other }, { FUEL_PUMP_LITRES: '11', FUEL_KIND: 'tea' })).toThrow(
      new ConfigError(
        'The environment is invalid:\n  FUEL_PUMP_LITRES: must not exceed FUEL_TANK_LITRES\n  FUEL_KIND: must be JP-8',
      ),
    );
  });

  test('cannot take the name of a setting that another part has', () => {
    const copy = defineSettings({
      variables: { FUEL_TANK_LITRES: z.string().optional().describe('Something else.') },
      toSettings: () => null,
    });
    expect(() => loadSettings({ pump, copy }, {})).toThrow(
      'two parts of the program have the setting FUEL_TANK_LITRES',
    );
  });
});
