// Part of npm run build, after tsc has written types for every module that `index.ts` and `testing.ts` import: puts into dist
// those that their types mention.
import { cp, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const from = fileURLToPath(new URL('../node_modules/.cache/types/', import.meta.url));
const to = fileURLToPath(new URL('../dist/', import.meta.url));

const copied = new Set<string>();
await copyTypes(join(from, 'index.d.ts'));
await copyTypes(join(from, 'testing.d.ts'));

async function copyTypes(path: string): Promise<void> {
  if (copied.has(path)) return;
  copied.add(path);
  await cp(path, join(to, relative(from, path)));
  const text = await readFile(path, 'utf8');
  for (const [, specifier = ''] of text.matchAll(/(?:from |import\()["'](\.[^"']+)\.ts["']/g)) {
    await copyTypes(join(dirname(path), `${specifier}.d.ts`));
  }
}
