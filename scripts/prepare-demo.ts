// Part of npm run build: makes the archive of the demo's tables, with which a first start begins.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDemoTables } from '../src/warehouse/demo/demo-tables.ts';
import { packFolder } from './pack-folder.ts';

const folder = await mkdtemp(join(tmpdir(), 'blade-demo-'));
try {
  await createDemoTables(folder);
  await packFolder(join(folder, 'blade', 'field'), new URL('../dist/demo-tables.tar.zst', import.meta.url));
} finally {
  await rm(folder, { recursive: true });
}
