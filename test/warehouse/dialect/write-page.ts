// Counts how the folder answers, and writes docs/sql.md: `npm run docs:sql`.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFolderWarehouse } from '../../../src/warehouse/duckdb/open.ts';
import { CORPORA, type Corpus } from './answers.ts';
import { countOutcomes } from './count-outcomes.ts';
import { type Counts, writeSqlPage } from './sql-page.ts';

const folder = await mkdtemp(join(tmpdir(), 'blade-dialect-'));
await mkdir(join(folder, 'blade', 'field'), { recursive: true });
const warehouse = await openFolderWarehouse({ folder });
const counts = new Map<Corpus, Counts>();
for (const corpus of CORPORA) counts.set(corpus, (await countOutcomes(warehouse, corpus)).counts);
await warehouse.close();
await rm(folder, { recursive: true });
await writeFile(join(import.meta.dirname, '../../../docs/sql.md'), writeSqlPage(counts));
