import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import { createCostMeter } from '../../src/api/limits/operation-cost.ts';
import { schema } from '../../src/api/schema/schema.ts';
import { loadConfig } from '../../src/config/config.ts';

const measureCost = createCostMeter(schema);
const { document: limits } = loadConfig({}).limits;

function cost(query: string, variableValues: Record<string, unknown> = {}) {
  return measureCost({ document: parse(query), operationName: null, variableValues });
}

describe('the cost of an operation', () => {
  test('grows with the sizes of its pages, up to the largest page', () => {
    const of = (page: string) => cost(`{ jobs${page} { edges { node { id } } } }`)?.cost ?? 0;
    expect(of('(first: 2)') - of('(first: 1)')).toBe(of('(first: 3)') - of('(first: 2)'));
    expect(of('')).toBe(of('(first: 20)'));
    expect(of('(last: 50)')).toBe(of('(first: 50)'));
    expect(of('(first: 1, last: 50)')).toBe(of('(first: 50)'));
    expect(of('(first: 1000000)')).toBe(of('(first: 200)'));
    expect(of('(first: -5)')).toBe(of('(first: 0)'));
  });

  test('is the same for the nodes of a page as for its edges, and grows with the ids of nodes', () => {
    const of = (page: string) => cost(`{ jobs(first: 100) { ${page} } }`)?.cost ?? 0;
    expect(of('nodes { id state }')).toBeLessThanOrEqual(of('edges { node { id state } }'));
    const look = (...ids: string[]) =>
      cost('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids })?.cost ?? 0;
    expect(look('a', 'b', 'c') - look('a', 'b')).toBe(look('a', 'b') - look('a'));
    expect(look('a', 'b') - look('a')).toBeGreaterThan(200);
  });

  test('grows with an exact count', () => {
    const of = (count: string) => cost(`{ items(first: 0) { ${count} } }`)?.cost ?? 0;
    expect(of('totalCount(exact: true)')).toBeGreaterThan(of('totalCount') + 100);
    expect(of('totalCount(exact: false)')).toBe(of('totalCount'));
  });

  test('grows with the due times of a schedule beyond the next, which is stored', () => {
    const of = (count: string) =>
      cost(`{ dataSource(id: "a") { schedule { nextRuns${count} } } }`)?.cost ?? 0;
    expect(of('')).toBe(of('(count: 1)'));
    expect(of('(count: 3)') - of('(count: 2)')).toBe(25);
    expect(of('(count: -5)')).toBe(of(''));
    expect(of('(count: null)')).toBe(of(''));
  });

  test('is that of the named operation, with its variables', () => {
    const document = parse(`
      query Small { syncStatus { state } }
      query Large($size: Int = 100) { jobs(first: $size) { edges { node { id } } } }`);
    const of = (operationName: string, variableValues = {}) =>
      measureCost({ document, operationName, variableValues })?.cost ?? 0;
    expect(of('Small')).toBe(3);
    expect(of('Large')).toBeGreaterThan(of('Large', { size: 10 }));
    expect(measureCost({ document, operationName: 'Another', variableValues: {} })).toBeNull();
    expect(measureCost({ document, operationName: 'Large', variableValues: { size: 'x' } })).toBeNull();
  });

  test('includes a fragment wherever it is spread, and root fields within fragments', () => {
    const query = `query { ...Two, a: syncStatus { state } }
      fragment Two on Query { b: syncStatus { state } ... on Query { c: syncStatus { state } } }`;
    expect(cost(query)).toMatchObject({ rootFields: 3, fields: 6, depth: 2 });
  });

  test('is computed quickly for fragments within fragments within fragments', () => {
    const fragments = Array.from(
      { length: 60 },
      (_, index) => `fragment F${index} on Job { ...F${index + 1} retryOf { ...F${index + 1} } }`,
    );
    const query = `{ jobs { edges { node { ...F0 } } } } ${fragments.join(' ')} fragment F60 on Job { id }`;
    expect(cost(query)?.fields).toBeGreaterThan(2 ** 50);
  });
});

/** The operations that the dashboard sends. */
function operationsOfDashboard(): string[] {
  const folder = new URL('../../src/dashboard/', import.meta.url);
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => /\.tsx?$/.test(name))
    .flatMap((name) => [...readFileSync(new URL(name, folder), 'utf8').matchAll(/graphql\(`(.*?)`\)/gs)])
    .map(([, text = '']) => text);
}

test('every operation of the dashboard is well within the limits', () => {
  const texts = operationsOfDashboard();
  const definitions = texts.flatMap((text) => parse(text).definitions);
  const operations = definitions.filter(({ kind }) => kind === 'OperationDefinition');
  expect(operations.length).toBeGreaterThan(5);
  let known = 0;
  for (const operation of operations) {
    const fragments = definitions.filter(({ kind }) => kind === 'FragmentDefinition');
    const document = { kind: 'Document', definitions: [operation, ...fragments] } as ReturnType<typeof parse>;
    const operationName = 'name' in operation ? operation.name?.value : null;
    const found = measureCost({
      document,
      operationName,
      variableValues: { id: 'x', first: 50, filter: {}, input: {} },
    });
    // Its variables are of another form.
    if (found === null) continue;
    known += 1;
    expect(found.cost, String(operationName)).toBeLessThan(limits.maxCost / 2);
    expect(found.fields, String(operationName)).toBeLessThan(limits.maxFields / 2);
    expect(found.depth, String(operationName)).toBeLessThan(limits.maxDepth);
  }
  expect(known).toBeGreaterThan(5);
});
