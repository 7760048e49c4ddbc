import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { listVariables, loadConfig } from '../src/config/config.ts';

const KUBERNETES = 'deploy/kubernetes';
const manifests = (await readdir(KUBERNETES)).map((name) => `${KUBERNETES}/${name}`);

/** Settings of others: of PostgreSQL's image, of Node.js and of our tests. */
const OTHERS = /^(POSTGRES_\w+|NODE_ENV|TEST_DATABASE_URL)$/;

const ours = new Set(
  listVariables().flatMap(({ name, isSecret }) => (isSecret ? [name, `${name}_FILE`] : [name])),
);

test.each(['Dockerfile', 'compose.yaml', '.github/workflows/ci.yml', ...manifests])(
  '%s sets nothing that the program does not know',
  async (path) => {
    const text = await readFile(path, 'utf8');
    const set = [...text.matchAll(/^(?:ENV)?\s*(?:- name: )?([A-Z][A-Z0-9]*_?[A-Z0-9_]+)(?:=|: |$)/gm)]
      .map(([, name = '']) => name)
      .filter((name) => !OTHERS.test(name));
    expect(set.filter((name) => !ours.has(name))).toEqual([]);
  },
);

test('what the example for Kubernetes sets starts a process of either role', async () => {
  const text = await readFile(`${KUBERNETES}/config.yaml`, 'utf8');
  const settings = Object.fromEntries(
    [...text.matchAll(/^ {2}([A-Z_]+): ['"]?(.*?)['"]?$/gm)].map(([, name, value]) => [name, value]),
  );
  expect(Object.keys(settings).length).toBeGreaterThan(10);
  for (const role of ['api', 'worker']) {
    const deployment = await readFile(`${KUBERNETES}/${role}.yaml`, 'utf8');
    expect(deployment).toMatch(new RegExp(`name: BLADE_ROLES\\n +value: ${role}\\n`));
    const files = [...deployment.matchAll(/name: (\w+)_FILE$/gm)].map(([, name = '']) => name);
    expect(files).toEqual(['DATABASE_URL', 'DATABRICKS_CLIENT_SECRET', 'CATALOG_TOKEN']);
    const config = loadConfig({
      ...settings,
      ...{ HOST: '0.0.0.0', BLADE_ROLES: role },
      ...{ DATABASE_URL: 'postgresql://blade@db/blade', DATABRICKS_CLIENT_SECRET: 's', CATALOG_TOKEN: 't' },
    });
    expect(config.warehouse.name).toBe('databricks');
    expect(config.metrics.port).toBe(9464);
  }
});

test('each file that a manifest of Kubernetes reads a secret from is in the example of the secret', async () => {
  const secret = await readFile(`${KUBERNETES}/secret.example.yaml`, 'utf8');
  for (const role of ['api', 'worker']) {
    const deployment = await readFile(`${KUBERNETES}/${role}.yaml`, 'utf8');
    const keys = [...deployment.matchAll(/value: \/run\/secrets\/blade\/(.+)$/gm)].map(([, key = '']) => key);
    expect(keys.length).toBeGreaterThan(0);
    for (const key of keys) expect(secret).toContain(`\n  ${key}: `);
  }
});
