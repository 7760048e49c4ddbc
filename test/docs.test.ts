import { access, readdir, readFile } from 'node:fs/promises';
import { parse, validate } from 'graphql';
import { expect, test } from 'vitest';
import { schema } from '../src/api/schema/schema.ts';
import { listVariables } from '../src/config/config.ts';

const pages = await Promise.all(
  ['README.md', 'docs/clients.md', 'docs/live.md'].map((page) =>
    readFile(new URL(`../${page}`, import.meta.url), 'utf8'),
  ),
);
const operations = pages.flatMap((page) =>
  [...page.matchAll(/```graphql\n(.*?)```/gs)].map(([, operation = '']) => operation),
);

test('the README and the pages on clients and feeds show operations', () => {
  expect(operations.length).toBeGreaterThanOrEqual(7);
});

test.each(operations)('an operation that they show can be pasted as it is: %s', (operation) => {
  expect(validate(schema, parse(operation))).toEqual([]);
});

test.each(['README.md', 'docs/extending.md', 'docs/live.md'])(
  'programs that %s shows are those that tests run',
  async (page) => {
    const text = await readFile(new URL(`../${page}`, import.meta.url), 'utf8');
    const programs = [...text.matchAll(/<!-- (docs\/examples\/.*?) -->\n\n```(?:ts|sh)\n(.*?)```/gs)];
    expect(programs.length).toBeGreaterThanOrEqual([...text.matchAll(/```ts\n/g)].length);
    for (const [, file = '', shown = ''] of programs) {
      const whole = await readFile(new URL(`../${file}`, import.meta.url), 'utf8');
      expect(whole).toContain(shown);
    }
  },
);

test('pages that other pages lead to are there', async () => {
  for (const page of ['README.md', 'CONTRIBUTING.md', ...(await listMarkdown('docs/'))]) {
    const folder = new URL(`../${page}`, import.meta.url);
    const text = await readFile(folder, 'utf8');
    for (const [, target = ''] of text.matchAll(/\]\((?!https?:)([^)#]+)/g)) {
      await expect(access(new URL(target, folder)), `${page} leads to ${target}`).resolves.toBeUndefined();
    }
  }
});

async function listMarkdown(folder: string): Promise<string[]> {
  const names = await readdir(new URL(`../${folder}`, import.meta.url));
  return names.filter((name) => name.endsWith('.md')).map((name) => `${folder}${name}`);
}

test('docs/configuration.md names every environment variable with its meaning, and no other', async () => {
  const text = await readFile(new URL('../docs/configuration.md', import.meta.url), 'utf8');
  const rows = [...text.matchAll(/^\| `([A-Z_]+)` +\| .*? \| (.*) \|$/gm)].map(([, name, meaning]) => [
    name,
    meaning?.trimEnd(),
  ]);
  const variables = listVariables().map(({ name, description }) => [
    name,
    description?.replaceAll('|', '\\|'),
  ]);
  expect(rows).toEqual(variables);
});
