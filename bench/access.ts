import { writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { parseArgs } from 'node:util';
import { createApiKey } from '../src/access/api-keys.ts';
import { localPrincipal } from '../src/access/principal.ts';
import { createPrismaClient } from '../src/database/prisma-client.ts';
import { AUDIENCE, bearer, ISSUER, SECRET_SETTINGS, startTokenIssuer } from '../test/support/credentials.ts';
import { createBenchDatabase } from './support/database.ts';
import { sendOne } from './support/http-load.ts';
import { quantile } from './support/measure.ts';
import { type MeasuredProgram, startMeasuredProgram } from './support/program.ts';

// What authentication adds to a request: the same small query to servers that accept everybody, tokens signed with a
// secret, tokens of an issuer that publishes its keys, and API keys, in turns, so that all meet the same machine. Prints
// one table, and writes it as JSON if a file is named.

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '5000' },
    json: { type: 'string' },
  },
});
const requests = Number(values.requests);
const QUERY = JSON.stringify({ query: '{ dataTypes { name } }' });

const database = await createBenchDatabase();
const issuer = await startTokenIssuer();
const agent = new Agent({ keepAlive: true });
const programs: MeasuredProgram[] = [];

/** Each way has its own process, so that none is warmed up by another's requests. */
async function start(settings: Record<string, string>): Promise<string> {
  const program = await startMeasuredProgram({
    DATABASE_URL: database.url,
    BLADE_ROLES: 'api',
    ...settings,
  });
  programs.push(program);
  return program.url;
}

async function createKey(): Promise<string> {
  const prisma = createPrismaClient(database.url, { maxConnections: 1 });
  const { key } = await createApiKey(prisma, localPrincipal, {
    ...{ name: 'bench', role: 'viewer', clearance: 'UNCLASSIFIED', expiresAt: null },
  });
  await prisma.$disconnect();
  return key;
}

try {
  const keySetSettings = {
    BLADE_JWT_JWKS_URL: issuer.keySetUrl,
    BLADE_JWT_ISSUER: ISSUER,
    BLADE_JWT_AUDIENCE: AUDIENCE,
  };
  const ways = [
    { asks: 'nobody', url: await start({}), authorization: undefined },
    { asks: 'JWT, HS256', url: await start(SECRET_SETTINGS), authorization: await bearer() },
    { asks: 'JWT, RS256 of a JWKS', url: await start(keySetSettings), authorization: await issuer.bearer() },
    {
      asks: 'API key',
      url: await start({ BLADE_API_KEYS: 'true' }),
      authorization: `Bearer ${await createKey()}`,
    },
  ].map((way) => ({ ...way, times: [] as number[] }));

  for (let round = -requests / 5; round < requests; round++) {
    for (const { url, authorization, times } of ways) {
      const time = await sendOne(agent, url, QUERY, authorization);
      if (round >= 0) times.push(time);
    }
  }

  const found = ways.map(({ asks, times }) => ({
    asks,
    p50Ms: quantile(times, 0.5),
    p90Ms: quantile(times, 0.9),
    p99Ms: quantile(times, 0.99),
  }));
  const base = found[0]?.p50Ms ?? 0;
  process.stdout.write(
    '| Who is asked for | p50 | more than nobody | p90 | p99 |\n| --- | --- | --- | --- | --- |\n',
  );
  for (const { asks, p50Ms, p90Ms, p99Ms } of found) {
    const cells = [p50Ms, p50Ms - base, p90Ms, p99Ms].map((time) => `${time.toFixed(3)} ms`);
    process.stdout.write(`| ${asks} | ${cells.join(' | ')} |\n`);
  }
  if (values.json !== undefined) await writeFile(values.json, JSON.stringify({ requests, found }, null, 2));
} finally {
  agent.destroy();
  for (const program of programs) await program.stop();
  await issuer.close();
  await database.close();
}
