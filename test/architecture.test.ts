import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { clients, levels } from '../dependency-cruiser.config.ts';

const page = await readFile(new URL('../docs/architecture.md', import.meta.url), 'utf8');

test('docs/architecture.md shows the direction of imports that `npm run check` enforces', () => {
  const rows = [...page.matchAll(/^\| (`[^|]+`) +\|/gm)].map(([, rooms = '']) => readNames(rooms));
  expect(rows).toEqual(levels);
  for (const client of clients) expect(page).toContain(`\`${client}\` (`);
});

test('each folder and file of src is in docs/architecture.md', async () => {
  const entries = await readdir(new URL('../src/', import.meta.url), { withFileTypes: true });
  const names = entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
  expect(names.filter((name) => !page.includes(`\`${name}`))).toEqual([]);
});

function readNames(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
}

test('only src/database/connection.ts opens connections, which gives each session its settings', async () => {
  const folder = new URL('../src/', import.meta.url);
  const paths = (await readdir(folder, { recursive: true })).filter((path) => path.endsWith('.ts'));
  const opening = await Promise.all(
    paths.map(async (path) =>
      /\bnew (pg\.)?(Client|Pool)\(/.test(await readFile(new URL(path, folder), 'utf8')) ? [path] : [],
    ),
  );
  expect(opening.flat()).toEqual(['database/connection.ts']);
});
