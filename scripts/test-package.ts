// npm run test:package: packs the package, installs it into an empty folder, and uses it there, also with the example plug-in.
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import { service } from '../src/warehouse/spark-connect/messages.ts';
import { startDatabricksServer, testToken } from '../test/support/databricks-server.ts';
import { environment, installPackage, packCheckout, root, run } from './packed-package.ts';

const folder = await mkdtemp(join(tmpdir(), 'blade-package-'));

try {
  const tarball = await pack();
  await install(tarball);
  await whileStarted({}, use);
  say('stopped on SIGTERM');
  await installPlugin();
  proveWarehouse();
  await whileStarted(
    { BLADE_PLUGINS: 'blade-fuel', BLADE_DATA_FOLDER: 'fuel', FUEL_ROWS: '[{ "ticket_number": "F-17" }]' },
    usePlugin,
  );
  await embed();
  await syncFromDatabricks();
  await askSpark();
  manageKeys();
  refuseOldNode();
  say('everything works');
} finally {
  await rm(folder, { recursive: true, force: true });
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** @throws if the condition is false. */
function check(condition: boolean, what: string): void {
  if (!condition) throw new Error(`the package fails a check: ${what}`);
  say(`  ${what}`);
}

/** Builds and packs, as `npm publish` would. */
async function pack(): Promise<string> {
  run('npm', ['run', 'build'], root);
  const { path, entryCount, size } = packCheckout(folder);
  say(`packed ${basename(path)}: ${entryCount} files, ${Math.round(size / 1024)} KiB`);
  return path;
}

/** Installs with all install scripts, as users do: none of ours may need what is not packed. */
async function install(tarball: string): Promise<void> {
  await writeFile(join(folder, 'package.json'), '{ "private": true }\n');
  const before = Date.now();
  installPackage(folder, tarball);
  say(`installed in ${Math.round((Date.now() - before) / 1000)} s`);
  const installed = JSON.parse(
    await readFile(join(folder, 'node_modules/blade-ingestion/package.json'), 'utf8'),
  ) as { version: string };
  check(installed.version !== '', `has version ${installed.version}`);
}

/** Builds the example plug-in with the types of the package, and installs it beside the package. */
async function installPlugin(): Promise<void> {
  const source = join(folder, 'blade-fuel');
  await cp(join(root, 'docs/examples/blade-fuel'), source, { recursive: true });
  const typeRoots = join(root, 'node_modules/@types');
  run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '--typeRoots', typeRoots], source);
  say('  compiles a plug-in with its types');
  const [{ filename }] = JSON.parse(run('npm', ['pack', '--json'], source)) as [{ filename: string }];
  installPackage(folder, join(source, filename));
}

/** Runs the tests of the example plug-in, by the runner of Node. */
function proveWarehouse(): void {
  const report = run(process.execPath, ['--test', 'blade-fuel/array-warehouse.test.ts'], folder);
  const passed = Number(/^# pass (\d+)$|^ℹ pass (\d+)$/m.exec(report)?.slice(1).find(Boolean));
  check(passed > 30, `proves a warehouse by ${passed} tests`);
}

/** Starts the server, uses it, and ends it. */
async function whileStarted(
  settings: Readonly<Record<string, string>>,
  use: (url: string) => Promise<void>,
): Promise<void> {
  const { child, url } = await start(settings);
  try {
    await use(url);
  } finally {
    await end(child);
  }
}

async function start(
  settings: Readonly<Record<string, string>>,
): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [join(folder, 'node_modules/.bin/blade-ingestion')], {
    cwd: folder,
    env: { PATH: environment.PATH, PORT: '0', LOG_LEVEL: 'info', ...settings },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      const served = /GraphQL and GraphiQL are at ([^"\s]+)/.exec(line)?.[1];
      if (served !== undefined) resolve(served);
    });
    child.once('exit', () => reject(new Error(`the server ended:\n${lines.join('\n')}`)));
  });
  say(`started at ${url}`);
  return { child, url };
}

async function use(url: string): Promise<void> {
  const page = await fetch(new URL('/', url));
  const html = await page.text();
  check(page.status === 200 && html.includes('<script'), 'serves its dashboard');
  const script = /src="([^"]+\.js)"/.exec(html)?.[1] ?? '';
  check((await fetch(new URL(script, url))).status === 200, 'serves what the dashboard loads');

  await sync(url);
  const blade = join(folder, 'node_modules/.bin/blade');
  const { stdout } = await promisify(execFile)(process.execPath, [blade, '--url', url, 'jobs']);
  check(stdout.includes('COMPLETED'), 'lists its jobs by the command blade');
}

async function usePlugin(url: string): Promise<void> {
  await createSource(url, 'fuel');
  await sync(url);
  const { items } = await ask<{ items: { edges: unknown[] } }>(
    url,
    '{ items(filter: { dataTypes: ["fuel"] }) { edges { node { itemId } } } }',
  );
  check(items.edges.length === 1, 'has an item of the data type of a plug-in');
}

/** Syncs from a stand-in for Databricks, by the driver that is bundled; the batches are compressed. */
async function syncFromDatabricks(): Promise<void> {
  const server = await startDatabricksServer();
  const { host, port, httpPath, certificateAuthority = '' } = server.configuration;
  const authorityFile = join(folder, 'authority.pem');
  await writeFile(authorityFile, certificateAuthority);
  try {
    await server.run(`CREATE TABLE blade.field.sortie AS SELECT 'S-' || i AS item_id FROM range(10) t(i)`);
    await whileStarted(
      {
        BLADE_DATA_FOLDER: 'databricks',
        DATABRICKS_HOST: host,
        DATABRICKS_PORT: String(port),
        DATABRICKS_HTTP_PATH: httpPath,
        DATABRICKS_TOKEN: testToken,
        DATABRICKS_CA_FILE: authorityFile,
      },
      async (url) => {
        await createSource(url, 'sortie');
        await sync(url);
      },
    );
  } finally {
    await server.close();
  }
}

/** Sends a request to a stand-in for Spark that refuses it, by the client that is bundled. */
async function askSpark(): Promise<void> {
  const server = new Server();
  server.addService(
    { Config: service.Config as NonNullable<typeof service.Config> },
    {
      Config(_call: unknown, refuse: (error: object) => void) {
        refuse({ code: status.UNAUTHENTICATED, details: 'wrong' });
      },
    },
  );
  const port = await promisify(server.bindAsync.bind(server))(
    '127.0.0.1:0',
    ServerCredentials.createInsecure(),
  );
  try {
    await whileStarted(
      { BLADE_DATA_FOLDER: 'spark', SPARK_REMOTE: `sc://127.0.0.1:${port}` },
      async (url) => {
        const id = await createSource(url, 'sortie');
        const { testDataSource } = await ask<{ testDataSource: { problem: string | null } }>(
          url,
          `mutation { testDataSource(input: { id: "${id}" }) { ... on TestDataSourceSuccess { problem } } }`,
        );
        check(
          testDataSource.problem?.startsWith('Spark refused the credentials') === true,
          `asks Spark, which answers: ${testDataSource.problem}`,
        );
      },
    );
  } finally {
    server.forceShutdown();
  }
}

/** Runs the program inside another one. */
async function embed(): Promise<void> {
  const program = join(folder, 'program.mjs');
  await writeFile(
    program,
    `import { createBlade } from 'blade-ingestion';
    const blade = createBlade({
      plugins: [import.meta.resolve('blade-fuel')],
      config: { BLADE_DATA_FOLDER: 'embedded', LOG_LEVEL: 'silent' },
      listen: false,
    });
    await blade.start();
    const request = new Request('http://localhost/graphql?query={dataTypes{name}}', {
      headers: { 'x-requested-with': 'program' },
    });
    process.stdout.write(await (await blade.fetch(request)).text());
    await blade.stop();`,
  );
  check(run(process.execPath, [program], folder).includes('"fuel"'), 'answers inside another program');
}

/** Creates the source of the table of a data type. */
async function createSource(url: string, dataType: string): Promise<string> {
  const { createDataSource } = await ask<{ createDataSource: { dataSource: { id: string } } }>(
    url,
    `mutation {
      createDataSource(input: {
        name: "Test", dataType: "${dataType}", catalogName: "blade", schemaName: "field", tableName: "${dataType}"
      }) { ... on CreateDataSourceSuccess { dataSource { id } } }
    }`,
  );
  return createDataSource.dataSource.id;
}

async function sync(url: string): Promise<void> {
  const { startSync } = await ask<{ startSync: { job: { id: string } } }>(
    url,
    'mutation { startSync(input: { syncType: FULL }) { ... on StartSyncSuccess { job { id } } } }',
  );
  const { id } = startSync.job;
  for (;;) {
    const { job } = await ask<{
      job: { state: string; progress: { processedItems: number; successCount: number; errorCount: number } };
    }>(url, `{ job(id: "${id}") { state progress { processedItems successCount errorCount } } }`);
    const { processedItems, successCount, errorCount } = job.progress;
    if (!['QUEUED', 'RUNNING'].includes(job.state)) {
      check(
        job.state === 'COMPLETED' && successCount > 0,
        `completed a sync of ${processedItems} rows: ${successCount} well, ${errorCount} malformed`,
      );
      return;
    }
    await setTimeout(200);
  }
}

async function ask<Data>(url: string, query: string): Promise<Data> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = (await response.json()) as { data: Data; errors?: unknown };
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return data;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

function manageKeys(): void {
  const bin = join(folder, 'node_modules/.bin/blade-ingestion');
  const key = run(
    process.execPath,
    [bin, 'keys', 'create', '--name', 'test', '--role', 'viewer', '--clearance', 'UNCLASSIFIED'],
    folder,
  );
  check(key.trim() !== '', 'makes an API key');
}

/** Checks that an old Node.js, if the machine has one, is refused. */
function refuseOldNode(): void {
  const old = (process.env.PATH ?? '')
    .split(delimiter)
    .map((path) => join(path, 'node'))
    .find((path) => {
      const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
      return Number(/^v(\d+)/.exec(stdout ?? '')?.[1] ?? 24) < 24;
    });
  if (old === undefined) return;
  const bin = join(folder, 'node_modules/blade-ingestion/dist/blade-ingestion.js');
  const { status, stderr } = spawnSync(old, [bin], { encoding: 'utf8' });
  check(status === 1 && stderr.startsWith('blade-ingestion needs Node.js 24'), `says: ${stderr.trim()}`);
}
