import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Compiles all operations of the README with Relay's compiler, which checks them and the schema, and keeps those that a
 * test runs. The compiler is no dependency: it has 118 MB, with a program for each platform.
 */
const COMPILER = 'relay-compiler@21.0.1';
const KEPT = ['History', 'WatchSync'];

const root = join(import.meta.dirname, '../../..');
const readme = await readFile(join(root, 'README.md'), 'utf8');
const operations = [...readme.matchAll(/```graphql\n(.*?)```/gs)].map(([, operation]) => operation);

const folder = await mkdtemp(join(tmpdir(), 'relay-'));
try {
  await Promise.all(['source', 'compiled'].map((name) => mkdir(join(folder, name))));
  await copyFile(join(root, 'schema.graphql'), join(folder, 'schema.graphql'));
  await writeFile(
    join(folder, 'source/readme.ts'),
    ["import { graphql } from 'relay-runtime';", ...operations.map((text) => `graphql\`${text}\`;`)].join(
      '\n',
    ),
  );
  await writeFile(
    join(folder, 'relay.config.json'),
    JSON.stringify({
      src: './source',
      schema: './schema.graphql',
      language: 'typescript',
      artifactDirectory: './compiled',
      eagerEsModules: true,
      useImportTypeSyntax: true,
    }),
  );
  execFileSync('npx', ['--yes', COMPILER, 'relay.config.json'], { cwd: folder, stdio: 'inherit' });
  for (const name of KEPT) {
    const file = `${name}.graphql.ts`;
    await copyFile(join(folder, 'compiled', file), join(import.meta.dirname, file));
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
