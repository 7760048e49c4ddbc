import { buildSchema, type GraphQLObjectType, parse } from 'graphql';
import { expect, test } from 'vitest';
import { localPrincipal, type Principal } from '../../src/access/principal.ts';
import { createSharedSubscribe } from '../../src/api/http/shared-execution.ts';

const cleared: Principal = localPrincipal;
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
  const subscribe = createSharedSubscribe(({ clearance }) => clearance);
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

test('an event that the database could not be read for comes whole when it answers again', async () => {
  const schema = buildSchema(
    'type Query { a: Int } type Subscription { job: Job } type Job { id: Int name: String }',
  );
  const job = schema.getSubscriptionType()?.getFields().job;
  const name = (schema.getType('Job') as GraphQLObjectType).getFields().name;
  if (job === undefined || name === undefined) throw new Error('the schema has no job');
  job.subscribe = async function* () {
    yield { id: 1 };
    yield { id: 2 };
  };
  job.resolve = (event) => event;
  let failures = 2;
  name.resolve = async ({ id }) => {
    if (failures-- > 0) throw Object.assign(new Error('Connection terminated unexpectedly'));
    return `Job ${id}`;
  };
  let attempts = 0;
  const prisma = {
    async $queryRaw() {
      if (++attempts === 1) throw Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
    },
  };
  const subscribe = createSharedSubscribe(({ clearance }) => clearance);
  const stream = await subscribe({
    schema,
    document: parse('subscription { job { id name } }'),
    contextValue: { principal: cleared, prisma },
  });
  if (!(Symbol.asyncIterator in stream)) throw new Error(JSON.stringify(stream));
  const results: string[] = [];
  for await (const result of stream) results.push(JSON.stringify(result));
  expect(results).toEqual([
    '{"data":{"job":{"id":1,"name":"Job 1"}}}',
    '{"data":{"job":{"id":2,"name":"Job 2"}}}',
  ]);
  expect(attempts).toBe(3);
});
