import { readFile } from 'node:fs/promises';
import { parse, validate } from 'graphql';
import { expect, test } from 'vitest';
import { schema } from '../src/api/schema.ts';
import { environmentSchema } from '../src/config.ts';

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
const operations = [...readme.matchAll(/```graphql\n(.*?)```/gs)].map(([, operation = '']) => operation);

test('the README shows operations', () => {
  expect(operations.length).toBeGreaterThanOrEqual(6);
});

test.each(operations)('an operation of the README can be pasted as it is: %s', (operation) => {
  expect(validate(schema, parse(operation))).toEqual([]);
});

test('docs/configuration.md names every environment variable with its meaning, and no other', async () => {
  const text = await readFile(new URL('../docs/configuration.md', import.meta.url), 'utf8');
  const rows = [...text.matchAll(/^\| `([A-Z_]+)` +\| .*? \| (.*) \|$/gm)].map(([, name, meaning]) => [
    name,
    meaning?.trimEnd(),
  ]);
  const variables = Object.entries(environmentSchema.shape).map(([name, { description }]) => [
    name,
    description?.replaceAll('|', '\\|'),
  ]);
  expect(rows).toEqual(variables);
});
