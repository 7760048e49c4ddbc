// node scripts/audit.ts, after the build: prints the known vulnerabilities of the packages that people run, installed with ours or
// bundled in it, and fails if one is high or critical. What only builds and tests it is no way in.
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';

interface Report {
  readonly vulnerabilities: Readonly<
    Record<string, { readonly severity: string; readonly nodes: readonly string[] }>
  >;
}

const root = new URL('..', import.meta.url);
const { packages } = JSON.parse(await readFile(new URL('package-lock.json', root), 'utf8')) as {
  packages: Readonly<Record<string, { readonly dev?: boolean }>>;
};
const licenses = await readFile(new URL('dist/bundled-licenses.txt', root), 'utf8');
const bundled = new Set([...licenses.matchAll(/^# (\S+) \d\S* \(/gm)].map(([, name]) => name));

const { stdout } = spawnSync('npm', ['audit', '--json'], { cwd: root, encoding: 'utf8' });
const { vulnerabilities } = JSON.parse(stdout) as Report;
const found = Object.entries(vulnerabilities).filter(
  ([name, { nodes }]) => bundled.has(name) || nodes.some((node) => packages[node]?.dev !== true),
);
for (const [name, { severity }] of found) process.stdout.write(`${name}: ${severity}\n`);
process.exitCode = found.some(([, { severity }]) => ['high', 'critical'].includes(severity)) ? 1 : 0;
