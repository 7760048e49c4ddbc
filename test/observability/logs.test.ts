import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import WebSocket from 'ws';
import { test } from '../support/on-server.ts';
import { addSource, uuid, writeRows } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

type LogLine = Readonly<Record<string, unknown>> & { readonly level: number; readonly msg: string };

const DEBUG = 20;
const INFO = 30;
const WARN = 40;

let application: TestApplication;
/** How many lines there were when the test began. */
let before: number;

beforeAll(async () => {
  application = await startTestApplication({ CATALOG_TOKEN: 'of-the-catalog' });
  await writeRows(application.warehouseFolder, 'sortie', [{ item_id: 'S-1', aircraft_tail: 'T1' }]);
});

afterAll(() => application.close());

beforeEach(() => {
  before = application.log.length;
});

function linesSince(from: number): LogLine[] {
  return application.log.slice(from).map((line) => JSON.parse(line));
}

/** Sends an operation and gives the answer, and the lines of the log that tell of the request. */
async function ask(query: string, headers: Record<string, string> = {}) {
  const response = await fetch(application.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query }),
  });
  const answer = await response.json();
  const requestId = response.headers.get('x-request-id');
  const lines = linesSince(before).filter((line) => line.requestId === requestId);
  return { answer, requestId, lines };
}

test('the first line has the version and every effective setting, and of a secret only that it is set', () => {
  const [first] = linesSince(0);
  expect(first).toMatchObject({
    msg: 'starting',
    version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    configuration: { BLADE_WORKER_THREADS: 2, LOG_LEVEL: 'debug', CATALOG_TOKEN: 'set' },
  });
  expect(application.log.join('')).not.toContain('of-the-catalog');
});

test('a mutation is one line: who did what, to which job, how it ended and how long it took', async () => {
  await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
  before = application.log.length;
  const { answer, requestId, lines } = await ask(
    'mutation { startSync(input: { syncType: FULL }) { ... on StartSyncSuccess { job { id } } } }',
    { 'x-request-id': 'ticket-4711' },
  );
  expect(requestId).toBe('ticket-4711');
  const jobId = uuid(answer.data.startSync.job.id);
  expect(lines).toEqual([
    expect.objectContaining({
      level: INFO,
      msg: 'mutation',
      operation: ['startSync'],
      principal: 'local',
      jobId,
      outcome: 'done',
      ms: expect.any(Number),
    }),
  ]);
  await application.client.waitForEnd(answer.data.startSync.job.id);
  const ofJob = linesSince(before).filter((line) => line.jobId === jobId && line.partitionId !== undefined);
  expect(ofJob.map(({ msg }) => msg)).toEqual(['partition started', 'partition ended']);
});

test.each([
  ['its type', '__typename'],
  ['nothing of the error', '... on StopSyncSuccess { message }'],
  ['its type under the name of another field', 'message: __typename'],
])(
  'a mutation that returns one of its errors is logged as refused if the client selects %s',
  async (_, selection) => {
    const { lines } = await ask(`mutation { stopSync { ${selection} } }`);
    expect(lines).toEqual([
      expect.objectContaining({
        level: INFO,
        msg: 'mutation',
        outcome: 'refused',
        codes: ['NoActiveSyncError'],
      }),
    ]);
  },
);

test.each([
  ['an argument', 'cancelJob(input: { id: "x" })', 'InvalidInputError'],
  [
    'a field of the input',
    'createApiKey(input: { name: "", role: VIEWER, clearance: U })',
    'InvalidInputError',
  ],
  ['a missing job', 'cancelJob(input: { id: "01997f3e-8c1a-7000-8000-000000000000" })', 'JobNotFoundError'],
])('a refusal because of %s is logged as refused', async (_, field, name) => {
  const { lines } = await ask(`mutation { renamed: ${field} { ... on ForbiddenError { requiredRole } } }`);
  expect(lines).toEqual([expect.objectContaining({ outcome: 'refused', codes: [name] })]);
});

test('each operation of a batch is logged with its own outcome', async () => {
  const response = await fetch(application.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify([
      { query: 'mutation { stopSync { ... on StopSyncSuccess { message } } }' },
      { query: '{ me { role } }' },
    ]),
  });
  await response.json();
  const lines = linesSince(before).filter(
    (line) => line.requestId === response.headers.get('x-request-id') && line.outcome !== undefined,
  );
  expect(lines.map(({ operation, outcome }) => [operation, outcome]).sort()).toEqual([
    [['me'], 'done'],
    [['stopSync'], 'refused'],
  ]);
});

test('a query is logged at debug only', async () => {
  const { lines } = await ask('{ jobs(first: 1) { totalCount } }');
  expect(lines).toEqual([
    expect.objectContaining({ level: DEBUG, msg: 'query', operation: ['jobs'], outcome: 'done' }),
  ]);
});

test('an invalid request is one line, over HTTP and over WebSocket', async () => {
  const { lines } = await ask('{ nothing }');
  expect(lines).toEqual([
    expect.objectContaining({ level: INFO, msg: 'request refused', outcome: 'refused' }),
  ]);
  before = application.log.length;
  const client = createClient({
    url: application.url.replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    retryAttempts: 0,
  });
  const results = client.iterate({ query: 'subscription { nothing }' });
  await expect(results.next()).rejects.toBeDefined();
  await client.dispose();
  expect(linesSince(before).filter(({ msg }) => msg === 'request refused')).toHaveLength(1);
});

test('a request other than GraphQL is one line, too, with its path but not its query', async () => {
  const response = await fetch(new URL('/nowhere?token=abc', application.url));
  await response.text();
  expect(response.status).toBe(404);
  await expect
    .poll(() => linesSince(before))
    .toEqual([expect.objectContaining({ msg: 'request refused', path: '/nowhere', status: 404 })]);
});

test.each(['', 'a b', 'x'.repeat(200), '"quoted"'])(
  'an unusable request id (%j) is replaced by a new one',
  async (given) => {
    const { requestId } = await ask('{ __typename }', { 'x-request-id': given });
    expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
  },
);

test('a masked error, its log line and the headers of the answer name the same request', async () => {
  await application.database.pool.query('alter table job rename to job_away');
  try {
    const { answer, requestId, lines } = await ask('{ syncStatus { state } }');
    expect(answer.errors).toEqual([
      expect.objectContaining({
        extensions: expect.objectContaining({ code: 'INTERNAL_SERVER_ERROR', requestId }),
      }),
    ]);
    expect(lines).toContainEqual(
      expect.objectContaining({ errorId: answer.errors[0].extensions.errorId, requestId }),
    );
    expect(lines).toContainEqual(
      expect.objectContaining({ level: WARN, outcome: 'failed', codes: ['INTERNAL_SERVER_ERROR'] }),
    );
  } finally {
    await application.database.pool.query('alter table job_away rename to job');
  }
});
