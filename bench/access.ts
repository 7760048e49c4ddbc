import { writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { createApiKey } from '../src/access/api-keys.ts';
import { localPrincipal } from '../src/access/principal.ts';
import { createPrismaClient } from '../src/database/prisma-client.ts';
import { AUDIENCE, bearer, ISSUER, SECRET_SETTINGS, startTokenIssuer } from '../test/support/credentials.ts';
import { startProgram } from '../test/support/program.ts';

// What it costs a request to be asked who sends it: the same small query to servers that take tokens signed with a
// secret, tokens of an issuer that publishes its keys, API keys, and everybody; in turn, so that all of them meet the
// same machine. Prints one table, and writes it as JSON where a file is named.

const { values } = parseArgs({
  options: {
    server: { type: 'string', default: 'postgresql://postgres@127.0.0.1:5432/postgres' },
    requests: { type: 'string', default: '5000' },
    json: { type: 'string' },
  },
});
const requests = Number(values.requests);

async function onServer(statement: string): Promise<void> {
  const client = new Client({ connectionString: values.server });
  await client.connect();
  await client.query(statement);
  await client.end();
}

const agent = new Agent({ keepAlive: true });
const BODY = JSON.stringify({ query: '{ dataTypes { name } }' });

/** Sends the query and reads the whole answer. @returns how long that took, in milliseconds. */
function send(url: string, authorization: string | undefined): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const startedAt = performance.now();
  const outgoing = request(
    url,
    {
      agent,
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(authorization === undefined ? {} : { authorization }),
      },
    },
    (response) => {
      response.resume();
      response.once('end', () => {
        if (response.statusCode === 200) resolve(performance.now() - startedAt);
        else reject(new Error(`the server answered ${response.statusCode}`));
      });
    },
  );
  outgoing.once('error', reject);
  outgoing.end(BODY);
  return promise;
}

const name = `blade_bench_${process.pid}_${Date.now()}`;
await onServer(`create database ${name}`);
const databaseUrl = new URL(values.server);
databaseUrl.pathname = `/${name}`;
const issuer = await startTokenIssuer();
const shared = { DATABASE_URL: databaseUrl.href, BLADE_ROLES: 'api', BLADE_REQUESTS_PER_SECOND: '1000000' };
// Each way has a process of its own, so that none is warmed up by another's requests.
const open = await startProgram(shared);
const withSecret = await startProgram({ ...shared, ...SECRET_SETTINGS });
const withKeySet = await startProgram({
  ...{ ...shared, BLADE_JWT_JWKS_URL: issuer.keySetUrl },
  ...{ BLADE_JWT_ISSUER: ISSUER, BLADE_JWT_AUDIENCE: AUDIENCE },
});
const withApiKeys = await startProgram({ ...shared, BLADE_API_KEYS: 'true' });
const prisma = createPrismaClient(databaseUrl.href, { maxConnections: 1 });
const { key } = await createApiKey(prisma, localPrincipal, {
  ...{ name: 'bench', role: 'viewer', clearance: 'UNCLASSIFIED', expiresAt: null },
});
await prisma.$disconnect();

const ways: readonly [name: string, url: string, authorization: string | undefined][] = [
  ['nobody', open.url, undefined],
  ['JWT, HS256', withSecret.url, await bearer()],
  ['JWT, RS256 of a JWKS', withKeySet.url, await issuer.bearer()],
  ['API key', withApiKeys.url, `Bearer ${key}`],
];

const times = ways.map((): number[] => []);
const warmUp = Math.ceil(requests / 5);
for (let round = 0; round < warmUp + requests; round++) {
  for (let turn = 0; turn < ways.length; turn++) {
    const index = (round + turn) % ways.length;
    const [, url = '', authorization] = ways[index] ?? [];
    const time = await send(url, authorization);
    if (round >= warmUp) times[index]?.push(time);
  }
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

const found = ways.map(([asks], index) => {
  const sorted = (times[index] ?? []).toSorted((a, b) => a - b);
  return { asks, p50Ms: quantile(sorted, 0.5), p90Ms: quantile(sorted, 0.9), p99Ms: quantile(sorted, 0.99) };
});
const base = found[0]?.p50Ms ?? 0;
process.stdout.write(
  '| Who is asked for | p50 | more than nobody | p90 | p99 |\n| --- | --- | --- | --- | --- |\n',
);
for (const { asks, p50Ms, p90Ms, p99Ms } of found) {
  const cells = [p50Ms, p50Ms - base, p90Ms, p99Ms].map((time) => `${time.toFixed(3)} ms`);
  process.stdout.write(`| ${asks} | ${cells.join(' | ')} |\n`);
}
if (values.json !== undefined) await writeFile(values.json, JSON.stringify({ requests, found }, null, 2));

agent.destroy();
for (const program of [open, withSecret, withKeySet, withApiKeys]) await program.end('SIGTERM');
await issuer.close();
await onServer(`drop database ${name} with (force)`);
