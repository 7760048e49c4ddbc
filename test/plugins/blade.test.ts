import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import type { Blade, BladeOptions } from '../../src/index.ts';
import { createBlade } from '../../src/index.ts';
import { createRegistry } from '../../src/plugins/registry.ts';
import { createApiClient } from '../support/api-client.ts';
import { test as base } from '../support/on-embedded.ts';
import { createPluginFolder, FUEL_ROWS } from '../support/plugin-folder.ts';

/** Settings of each program, beside its folder. */
const SETTINGS = { PORT: '0', BLADE_WORKER_THREADS: '1', BLADE_DEMO_DATA: 'false', LOG_LEVEL: 'warn' };

const ADD_SOURCE = `mutation {
  createDataSource(input: { name: "Fuel", dataType: "fuel", catalogName: "blade", schemaName: "field", tableName: "fuel" }) {
    __typename
  }
}`;
const START_SYNC =
  'mutation { startSync(input: { syncType: FULL }) { ... on StartSyncSuccess { job { id } } } }';
const DATA_TYPES = '{ dataTypes { name } }';
const BUILT_IN = createRegistry([]).dataTypes.names;

const test = base
  .extend('plugins', ({ open }) => open(createPluginFolder()))
  .extend('fuel', ({ plugins }) => join(plugins.path, 'blade-fuel/index.ts'))
  /** Creates a program with a separate data folder. */
  .extend('create', async ({ plugins, open }) => async (options: BladeOptions = {}): Promise<Blade> => {
    const folder = join(plugins.path, `data-${crypto.randomUUID()}`);
    const config = { ...SETTINGS, BLADE_DATA_FOLDER: folder, ...options.config };
    const blade = createBlade({ ...options, config });
    await open({ close: () => blade.stop() });
    return blade;
  });

/** Sends an operation to a program that need not listen. */
async function send(blade: Blade, query: string) {
  const request = new Request('http://localhost/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  const response = await blade.fetch(request);
  expect(response.status).toBe(200);
  return response.json();
}

const listNames = async (blade: Blade) =>
  (await send(blade, DATA_TYPES)).data.dataTypes.map(({ name }: { name: string }) => name);

describe('a program with a plug-in', () => {
  test('syncs a table of its warehouse into items of its data type', async ({ create, fuel, open }) => {
    const blade = await create({ plugins: [fuel], config: { FUEL_ROWS: JSON.stringify(FUEL_ROWS) } });
    const { url } = await blade.start();
    const client = await open(createApiClient(url ?? ''));
    await client.sendRaw(ADD_SOURCE);
    const started = await client.startSync({ syncType: 'FULL', dataType: 'fuel' });
    const job = await client.waitForEnd(started.id);
    expect(job).toMatchObject({
      state: 'COMPLETED',
      progress: { processedItems: 3, successCount: 2, errorCount: 1 },
      recentErrors: ['gallons must be a number, not "plenty".'],
    });
    const { data } = await client.sendRaw(
      '{ items(filter: { dataTypes: ["fuel"] }) { edges { node { dataType classificationMarking uploadedAt data } } } }',
    );
    expect(data).toEqual({
      items: {
        edges: expect.arrayContaining([
          {
            node: {
              dataType: 'fuel',
              classificationMarking: 'CUI',
              uploadedAt: expect.any(String),
              data: expect.objectContaining({ ticket_number: 'F-17', pump: 4 }),
            },
          },
        ]),
      },
    });
  });

  test('lists its data type, and names it when it refuses another', async ({ create, fuel }) => {
    const blade = await create({ plugins: [fuel], listen: false });
    await blade.start();
    expect(await listNames(blade)).toEqual([...BUILT_IN, 'fuel']);
    const refused = await send(blade, '{ items(filter: { dataTypes: ["tea"] }) { totalCount } }');
    expect(refused.errors[0].message).toContain(`known are ${[...BUILT_IN, 'fuel'].join(', ')}`);
  });

  test.for([
    [
      'a value that cannot be decoded fails its job in the first attempt, with the reason',
      `Object.defineProperty({ size: 3, fingerprint: null, position: null }, 'rows', {
         get() { throw new TypeError('Unrecognized type: "Duration" (18)'); },
       })`,
      {
        state: 'FAILED',
        failureReason:
          'Fuel: The warehouse cannot be read: Unrecognized type: "Duration" (18). 3 of 3 rows were not read.',
        partitions: { nodes: [{ attempt: 1 }] },
      },
    ],
    [
      'a connection that breaks once is opened again, and the job has every row',
      `await (async () => {
         if (existsSync(marker)) return batch;
         writeFileSync(marker, '');
         throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
       })()`,
      { state: 'COMPLETED', failureReason: null, partitions: { nodes: [{ attempt: 2 }] } },
    ],
  ] as const)('%s', async ([name, batch, expected], { create, plugins }) => {
    const marker = join(plugins.path, `failed-${name.length}`);
    const failing = await plugins.write(
      `failing-${name.length}.ts`,
      `import { existsSync, writeFileSync } from 'node:fs';
       import { defineWarehouse } from 'blade-ingestion';
       import { arrayWarehouse } from './blade-fuel/array-warehouse.ts';
       import { fuel } from './blade-fuel/fuel.ts';
       const marker = '${marker}';
       const failing = defineWarehouse({
         ...arrayWarehouse,
         name: 'failing',
         async open(settings, limits) {
           const warehouse = await arrayWarehouse.open(settings, limits);
           return {
             ...warehouse,
             async readRows(statement, options) {
               const { resumed, batches } = await warehouse.readRows(statement, options);
               if (!statement.sql.startsWith('SELECT *')) return { resumed, batches };
               return {
                 resumed,
                 batches: (async function* () {
                   for await (const batch of batches) yield ${batch};
                 })(),
               };
             },
           };
         },
       });
       export default [fuel, failing];`,
    );
    const blade = await create({
      plugins: [failing],
      listen: false,
      config: { FUEL_ROWS: JSON.stringify(FUEL_ROWS), LOG_LEVEL: 'silent' },
    });
    await blade.start();
    await send(blade, ADD_SOURCE);
    const { id } = (await send(blade, START_SYNC)).data.startSync.job;
    const job = `{ job(id: "${id}") { state failureReason partitions { nodes { attempt } } } }`;
    await expect.poll(async () => (await send(blade, job)).data.job, { timeout: 60_000 }).toEqual(expected);
  });

  test('loads it again in a thread that replaces one that crashed', async ({ create, plugins }) => {
    const marker = join(plugins.path, 'crashed');
    const crashing = await plugins.write(
      'crashing.ts',
      `import { existsSync, writeFileSync } from 'node:fs';
       import { defineWarehouse } from 'blade-ingestion';
       import { arrayWarehouse } from './blade-fuel/array-warehouse.ts';
       import { fuel } from './blade-fuel/fuel.ts';
       const crashing = defineWarehouse({
         ...arrayWarehouse,
         name: 'crashing',
         async open(settings, limits) {
           const warehouse = await arrayWarehouse.open(settings, limits);
           return {
             ...warehouse,
             async readRows(...given) {
               if (existsSync('${marker}')) return warehouse.readRows(...given);
               writeFileSync('${marker}', '');
               process.exit(1);
             },
           };
         },
       });
       export default [fuel, crashing];`,
    );
    const blade = await create({
      plugins: [crashing],
      listen: false,
      config: { FUEL_ROWS: JSON.stringify(FUEL_ROWS), LOG_LEVEL: 'silent' },
    });
    await blade.start();
    await send(blade, ADD_SOURCE);
    const { data } = await send(blade, START_SYNC);
    const { id } = data.startSync.job;
    const job = `{ job(id: "${id}") { state progress { successCount } partitions { nodes { attempt } } } }`;
    await expect
      .poll(async () => (await send(blade, job)).data.job, { timeout: 60_000 })
      .toEqual({
        state: 'COMPLETED',
        progress: { successCount: 2 },
        partitions: { nodes: [{ attempt: 2 }] },
      });
  });
});

test('a job of a data type that a worker does not have waits for one that has it', async ({
  create,
  plugins,
}) => {
  const fuel = await plugins.write('fuel.ts', "export { fuel as default } from './blade-fuel/fuel.ts';");
  const tables = join(plugins.path, 'warehouse/blade/field');
  await mkdir(tables, { recursive: true });
  await writeFile(join(tables, 'fuel.ndjson'), JSON.stringify(FUEL_ROWS[0]));
  const config = {
    BLADE_DATA_FOLDER: join(plugins.path, 'waiting'),
    BLADE_WAREHOUSE_FOLDER: join(plugins.path, 'warehouse'),
  };
  const starting = await create({
    plugins: [fuel],
    listen: false,
    config: { ...config, BLADE_ROLES: 'api' },
  });
  await starting.start();
  await send(starting, ADD_SOURCE);
  const { id } = (await send(starting, START_SYNC)).data.startSync.job;
  await starting.stop();

  const without = await create({ listen: false, config });
  await without.start();
  const waiting = `{ job(id: "${id}") { partitions { nodes { message } } } }`;
  await expect
    .poll(async () => JSON.stringify(await send(without, waiting)), { timeout: 60_000 })
    .toContain('There is no data type fuel here: start every worker with the plug-in that brings it.');
  await without.stop();

  const having = await create({ plugins: [fuel], listen: false, config });
  await having.start();
  const ended = `{ job(id: "${id}") { state progress { successCount } } }`;
  await expect
    .poll(async () => (await send(having, ended)).data.job, { timeout: 60_000 })
    .toEqual({ state: 'COMPLETED', progress: { successCount: 1 } });
});

describe('fetch', () => {
  test('answers without a listening socket, up to subscriptions and pages', async ({ create }) => {
    const blade = await create({ listen: false });
    expect(await blade.start()).toMatchObject({ url: null });
    expect(await listNames(blade)).toEqual(BUILT_IN);
    const health = await blade.fetch(new Request('http://localhost/health/live'));
    expect(health.status).toBe(200);
    const events = await blade.fetch(
      new Request('http://localhost/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
        body: JSON.stringify({ query: 'subscription { syncProgress { state } }' }),
      }),
    );
    const reader = events.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (!text.includes('NO_SYNC_JOB')) text += (await reader?.read())?.value ?? '';
    await reader?.cancel();
    const head = await blade.fetch(new Request('http://localhost/health/live', { method: 'HEAD' }));
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  test('has the checks of a request over a socket', async ({ create }) => {
    const blade = await create({ listen: false, config: { BLADE_MAX_BODY_BYTES: '10000' } });
    await blade.start();
    const misdirected = await blade.fetch(new Request('http://blade.example.com/graphql'));
    expect(misdirected.status).toBe(421);
    const large = new Request('http://localhost/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: DATA_TYPES, variables: { text: 'x'.repeat(1_000_000) } }),
    });
    expect((await blade.fetch(large)).status).toBe(413);
    const foreign = new Request('http://localhost/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: 'https://evil.example' },
      body: JSON.stringify({ query: DATA_TYPES }),
    });
    expect((await blade.fetch(foreign)).status).toBe(403);
  });

  test('counts refused credentials by the address that it is given', async ({ create }) => {
    const config = { BLADE_API_KEYS: 'true', BLADE_FAILED_CREDENTIALS_PER_MINUTE: '2' };
    const blade = await create({ listen: false, config: { ...config, LOG_LEVEL: 'silent' } });
    await blade.start();
    const ask = async (address: string) => {
      const headers = { authorization: 'Bearer nonsense', 'content-type': 'application/json' };
      const init = { method: 'POST', headers, body: JSON.stringify({ query: DATA_TYPES }) };
      return (await blade.fetch(new Request('http://localhost/graphql', init), { address })).status;
    };
    expect([await ask('10.0.0.1'), await ask('10.0.0.1'), await ask('10.0.0.1')]).toEqual([401, 401, 429]);
    expect(await ask('10.0.0.2')).toBe(401);
  });

  test('ends with the signal of its request', async ({ create }) => {
    const blade = await create({ listen: false });
    await blade.start();
    const stop = new AbortController();
    const request = new Request('http://localhost/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: 'subscription { syncProgress { state } }' }),
      signal: stop.signal,
    });
    const events = await blade.fetch(request);
    stop.abort();
    await expect(events.text()).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('says what is missing before the start, after the stop and without the role', async ({ create }) => {
    const blade = await create({ listen: false });
    const request = () => new Request('http://localhost/graphql');
    await expect(blade.fetch(request())).rejects.toThrow('call start() first');
    await blade.start();
    await blade.stop();
    await expect(blade.fetch(request())).rejects.toThrow('call start() first');
    const worker = await create({ listen: false, config: { BLADE_ROLES: 'worker' } });
    await worker.start();
    await expect(worker.fetch(request())).rejects.toThrow('BLADE_ROLES must contain api');
  });
});

describe('two programs in one process', () => {
  test('have each its own plug-ins, settings and data', async ({ create, fuel }) => {
    const [one, other] = await Promise.all([
      create({ plugins: [fuel], listen: false, config: { FUEL_ROWS: JSON.stringify(FUEL_ROWS) } }),
      create({ listen: false }),
    ]);
    await Promise.all([one.start(), other.start()]);
    expect(await listNames(one)).toEqual([...BUILT_IN, 'fuel']);
    expect(await listNames(other)).toEqual(BUILT_IN);
    await send(one, ADD_SOURCE);
    expect((await send(one, '{ dataSources { nodes { name } } }')).data.dataSources.nodes).toEqual([
      { name: 'Fuel' },
    ]);
    expect((await send(other, '{ dataSources { nodes { name } } }')).data.dataSources.nodes).toEqual([]);
    const metrics = async (blade: Blade) =>
      (await blade.fetch(new Request('http://localhost/metrics'))).text();
    expect(await metrics(one)).toContain('blade_rows_read_total{data_type="fuel"}');
    expect(await metrics(other)).not.toContain('fuel');
    await one.stop();
    expect(await listNames(other)).toEqual(BUILT_IN);
  });

  test('cannot share a data folder, and the second says so', async ({ create, plugins }) => {
    const config = { BLADE_DATA_FOLDER: join(plugins.path, 'shared') };
    const one = await create({ listen: false, config });
    const other = await create({ listen: false, config });
    await one.start();
    await expect(other.start()).rejects.toThrow(/data folder .*shared.* is in use: process \d+/);
    await one.stop();
    // What failed once can be started later.
    await other.start();
    expect(await listNames(other)).toEqual(BUILT_IN);
  });
});
