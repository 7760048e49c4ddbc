import { buildSchema, type GraphQLObjectType, parse } from 'graphql';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { localPrincipal, type Principal } from '../../src/access/principal.ts';
import { createSharedSubscribe } from '../../src/api/http/shared-execution.ts';

const cleared: Principal = localPrincipal;
const silent = pino({ level: 'silent' });
const uncleared: Principal = { ...localPrincipal, id: 'other', clearance: 'UNCLASSIFIED' };

/** Subscribes several times to one event, and counts how often the event was executed. */
async function countExecutions(
  subscriptions: readonly { query: string; variables?: object; principal?: Principal }[],
): Promise<{ count: number; results: string[] }> {
  const schema = buildSchema('type Query { a: Int } type Subscription { job(scale: Int! = 1): Int! }');
  const event = { value: 7 };
  let count = 0;
  const job = schema.getSubscriptionType()?.getFields().job;
  if (job === undefined) throw new Error('the schema has no job');
  job.subscribe = async function* () {
    yield event;
  };
  job.resolve = (
    source: typeof event,
    { scale }: { scale: number },
    { principal }: { principal: Principal },
  ) => {
    count++;
    return source.value * scale + (principal.clearance === 'UNCLASSIFIED' ? 0 : 100);
  };
  const subscribe = createSharedSubscribe(({ clearance }) => clearance, silent);
  const documents = new Map(subscriptions.map(({ query }) => [query, parse(query)]));
  const results: string[] = [];
  for (const { query, variables, principal = cleared } of subscriptions) {
    const document = documents.get(query);
    if (document === undefined) throw new Error('not parsed');
    const stream = await subscribe({
      schema,
      document,
      variableValues: { ...variables },
      contextValue: { principal },
    });
    if (!(Symbol.asyncIterator in stream)) throw new Error(JSON.stringify(stream));
    for await (const result of stream) results.push(JSON.stringify(result));
  }
  return { count, results };
}

test('subscribers with the same operation share one execution of an event', async () => {
  const query = 'subscription { job }';
  const { count, results } = await countExecutions([{ query }, { query }, { query }]);
  expect(count).toBe(1);
  expect(results).toEqual(Array(3).fill('{"data":{"job":107}}'));
});

test('subscribers with other variables or other fields get their own answer', async () => {
  const query = 'subscription ($scale: Int!) { job(scale: $scale) }';
  const { results } = await countExecutions([
    { query, variables: { scale: 2 } },
    { query, variables: { scale: 3 } },
    { query: 'subscription { other: job }' },
  ]);
  expect(results).toEqual(['{"data":{"job":114}}', '{"data":{"job":121}}', '{"data":{"other":107}}']);
});

test('a subscriber with a lower clearance never gets what was executed for a higher one', async () => {
  const query = 'subscription { job }';
  const { results } = await countExecutions([{ query }, { query, principal: uncleared }, { query }]);
  expect(results).toEqual(['{"data":{"job":107}}', '{"data":{"job":7}}', '{"data":{"job":107}}']);
});

const [EVENTS, FIELDS] = ['subscription { job { id name } }', 'type Job { id: Int name: String }'];

/**
 * Subscribes to two events whose name is read from a database.
 * @param readName fails as often as the database does.
 * @param answer what it says to `select 1`.
 */
async function subscribeToNames(readName: (id: number) => string, answer: () => void = () => {}) {
  const schema = buildSchema(`type Query { a: Int } type Subscription { job: Job } ${FIELDS}`);
  const job = schema.getSubscriptionType()?.getFields().job;
  const name = (schema.getType('Job') as GraphQLObjectType).getFields().name;
  if (job === undefined || name === undefined) throw new Error('the schema has no job');
  let hasLeft = false;
  job.subscribe = async function* () {
    try {
      yield { id: 1 };
      yield { id: 2 };
    } finally {
      hasLeft = true;
    }
  };
  job.resolve = (event) => event;
  name.resolve = async ({ id }) => readName(id);
  let attempts = 0;
  const prisma = {
    async $queryRaw() {
      attempts += 1;
      answer();
    },
  };
  const lines: string[] = [];
  const log = pino(
    { base: null, timestamp: false },
    { write: (line) => void lines.push(JSON.parse(line).msg) },
  );
  const subscribe = createSharedSubscribe(({ clearance }) => clearance, log);
  // Two subscribers, who wait together.
  const streams = await Promise.all(
    [1, 2].map(() =>
      subscribe({ schema, document: parse(EVENTS), contextValue: { principal: cleared, prisma } }),
    ),
  );
  const results = await Promise.all(
    streams.map(async (stream) => {
      if (!(Symbol.asyncIterator in stream)) throw new Error(JSON.stringify(stream));
      const received: string[] = [];
      for await (const result of stream) received.push(JSON.stringify(result));
      return received;
    }),
  );
  return { results, lines, attempts, hasLeft };
}

const WAITS = 'the database does not answer: subscriptions wait until it does';
const GOES_ON = 'no subscription waits for the database any longer';

test('an event that the database could not be read for comes whole when it answers again, which is logged once', async () => {
  let failures = 4;
  let refusals = 1;
  const { results, lines } = await subscribeToNames(
    (id) => {
      if (failures-- > 0) throw new Error('Connection terminated unexpectedly');
      return `Job ${id}`;
    },
    () => {
      if (refusals-- > 0) throw Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
    },
  );
  const all = ['{"data":{"job":{"id":1,"name":"Job 1"}}}', '{"data":{"job":{"id":2,"name":"Job 2"}}}'];
  expect(results).toEqual([all, all]);
  expect(lines).toEqual([WAITS, GOES_ON]);
});

test('a database that is away for long is waited for, however often it is tried', async () => {
  let refusals = 7;
  const { results, lines, attempts } = await subscribeToNames(
    (id) => {
      if (refusals > 0) throw new Error('Connection terminated unexpectedly');
      return `Job ${id}`;
    },
    () => {
      if (refusals-- > 0) throw Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
    },
  );
  expect(results.map((received) => received.length)).toEqual([2, 2]);
  expect(attempts).toBe(8);
  expect(lines).toEqual([WAITS, GOES_ON]);
});

test('a read that fails as in an outage although the database answers ends the subscription with its error', async () => {
  const { results, lines, attempts, hasLeft } = await subscribeToNames(() => {
    throw new Error('Connection terminated unexpectedly');
  });
  for (const received of results) {
    expect(received).toHaveLength(1);
    expect(received[0]).toContain('Connection terminated unexpectedly');
  }
  expect(attempts).toBeLessThan(10);
  expect(hasLeft).toBe(true);
  expect(lines.at(0)).toBe(WAITS);
  expect(lines.at(-1)).toBe(GOES_ON);
  expect(lines).toContain('the database answers, but a subscription cannot read it and ends');
});
