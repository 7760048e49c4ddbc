import { execFile } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DASHBOARD_FOLDER } from '../../src/api/http/dashboard-files.ts';
import { findChromium } from './browser.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Builds the dashboard before a run, if its sources have changed and there is a browser to test it in. */
export default async function buildDashboard(): Promise<void> {
  if (findChromium() === null) return;
  const builtAt = await changedAt(join(DASHBOARD_FOLDER, 'index.html'));
  const sources = [
    join(ROOT, 'vite.config.ts'),
    join(ROOT, 'package-lock.json'),
    join(ROOT, 'schema.graphql'),
  ];
  for (const file of await readdir(join(ROOT, 'src/dashboard'), { recursive: true })) {
    sources.push(join(ROOT, 'src/dashboard', file));
  }
  const changes = await Promise.all(sources.map(changedAt));
  if (Math.max(...changes) <= builtAt) return;
  // In its own process: libraries are built differently when NODE_ENV says that this is a test.
  const { NODE_ENV: _, ...env } = process.env;
  const vite = join(ROOT, 'node_modules/vite/bin/vite.js');
  await promisify(execFile)(process.execPath, [vite, 'build', '--logLevel', 'warn'], { cwd: ROOT, env });
}

/** Returns when a file was last changed, in milliseconds; 0 if there is none. */
async function changedAt(path: string): Promise<number> {
  const found = await stat(path).catch(() => null);
  return found?.mtimeMs ?? 0;
}
