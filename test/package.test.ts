import { execFile } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { resolveModuleUrl } from '../src/shared/module-url.ts';

/** What `npm pack` would put into the package; what it does with it, `npm run test:package` tells. */
let packed: readonly string[];
let manifest: { readonly bin: Record<string, string>; readonly engines: { readonly node: string } };

beforeAll(async () => {
  manifest = JSON.parse(await readFile('package.json', 'utf8'));
  const { stdout } = await promisify(execFile)('npm', ['pack', '--dry-run', '--ignore-scripts', '--json'], {
    shell: process.platform === 'win32',
  });
  const [{ files }] = JSON.parse(stdout) as [{ files: readonly { path: string }[] }];
  packed = files.map(({ path }) => path);
});

test('the package has every migration', async () => {
  const folder = 'prisma/migrations';
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const wanted = entries
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`);
  expect(wanted.length).toBeGreaterThan(5);
  expect(packed).toEqual(expect.arrayContaining(wanted));
});

test('the package has the database and the tables that a first start begins with', () => {
  expect(packed.filter((path) => /^dist\/database-\w+\.tar\.zst$/.test(path))).toHaveLength(1);
  expect(packed).toContain('dist/demo-tables.tar.zst');
});

test('the package keeps the notices of what its dependencies have taken from others', async () => {
  const modules = packed.filter((path) => /^dist\/.*\.js$/.test(path));
  const texts = (await Promise.all(modules.map((path) => readFile(path, 'utf8')))).join('\n');
  for (const author of ['Michael Mclaughlin', 'Kris Kowal', 'The Closure Library Authors'])
    expect(texts.includes(author), author).toBe(true);
});

test('each command of the package is a module of ours, compiled, that a shell can start', async () => {
  expect(Object.keys(manifest.bin)).toContain('blade-ingestion');
  for (const path of Object.values(manifest.bin)) {
    const source = path.replace(/^(?:\.\/)?dist\//, 'src/').replace(/\.js$/, '.ts');
    expect(await readFile(source, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  }
});

test('the package has no sources, tests, data or settings of whoever packs it', () => {
  const folders = new Set(packed.map((path) => (path.includes('/') ? path.split('/')[0] : path)));
  expect([...folders].sort()).toEqual(
    expect.arrayContaining([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'docs',
      'package.json',
      'prisma',
      'schema.graphql',
    ]),
  );
  expect([...folders].filter((name) => /^(src|test|bench|node_modules|\..*)$/.test(name ?? ''))).toEqual([]);
});

test('a module that a thread starts with is there beside the sources as it is beside the compiled modules', async () => {
  const besides = new URL('../src/ingestion/thread-pool.ts', import.meta.url);
  expect((await stat(resolveModuleUrl('./partition-thread', besides.href))).isFile()).toBe(true);
  expect(resolveModuleUrl('./partition-thread', 'file:///a/dist/ingestion/thread-pool.js').href).toBe(
    'file:///a/dist/ingestion/partition-thread.js',
  );
});
