import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const FOLDER = join(import.meta.dirname, '../../src/dashboard');

const files = readdirSync(FOLDER, { recursive: true }).map((name) => join(FOLDER, String(name)));

/** The classes that components take from each style sheet. */
const used = new Map<string, Set<string>>();
for (const file of files.filter((name) => name.endsWith('.tsx'))) {
  const code = readFileSync(file, 'utf8');
  const sheet = /import styles from '(.+\.module\.css)'/.exec(code)?.[1];
  if (sheet === undefined) continue;
  const path = join(file, '..', sheet);
  const classes = [...code.matchAll(/\bstyles\.(\w+)/g)].map(([, name = '']) => name);
  used.set(path, new Set([...(used.get(path) ?? []), ...classes]));
}

test('every style that a component uses exists, and every style is used', () => {
  for (const sheet of files.filter((name) => name.endsWith('.module.css'))) {
    const defined = readFileSync(sheet, 'utf8').matchAll(/\.([a-z]\w*)(?=[^;{}]*\{)/gi);
    const names = new Set([...defined].map(([, name = '']) => name));
    expect([...names].sort(), sheet).toEqual([...(used.get(sheet) ?? [])].sort());
  }
  expect(used.size).toBeGreaterThan(10);
});
