import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { copyTo } from '../../src/warehouse/demo/copy-table.ts';
import type { SaveDataSourceInput } from '../generated/graphql.ts';
import { readFolderCatalog } from './folder-catalog.ts';
import { SaveDataSource } from './operations.ts';
import type { TestApplication } from './test-application.ts';

/** Makes the table `blade.field.<table>` of these rows, or puts them in its place. */
export async function writeRows(folder: string, table: string, rows: readonly object[]): Promise<void> {
  await replaceTable(folder, `${table}.ndjson`, (path) =>
    writeFile(path, rows.map((row) => `${JSON.stringify(row)}\n`).join('')),
  );
}

/** Makes the table `blade.field.<table>` of the rows of a query in the dialect of DuckDB, or puts them in its place. */
export async function writeQuery(folder: string, table: string, query: string): Promise<void> {
  await replaceTable(folder, `${table}.parquet`, async (path) => {
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    try {
      await connection.run("SET TimeZone = 'UTC'");
      await copyTo(connection, query, path);
    } finally {
      connection.closeSync();
      instance.closeSync();
    }
  });
}

/** Takes the table `blade.field.<table>` out of the warehouse. */
export async function removeTable(folder: string, table: string): Promise<void> {
  for (const ending of ['ndjson', 'parquet']) await rm(pathOf(folder, `${table}.${ending}`), { force: true });
}

async function replaceTable(folder: string, file: string, write: (path: string) => Promise<void>) {
  const path = pathOf(folder, file);
  const unfinished = join(dirname(path), `.${randomUUID()}.${file}`);
  await mkdir(dirname(path), { recursive: true });
  await write(unfinished);
  await rename(unfinished, path);
}

function pathOf(folder: string, file: string): string {
  return join(folder, 'blade', 'field', file);
}

/**
 * Adds a source that reads `blade.field.<table>`.
 * @returns its UUID.
 */
export async function addSource(
  { client }: TestApplication,
  input: Pick<SaveDataSourceInput, 'name' | 'dataType' | 'tableName'> & Partial<SaveDataSourceInput>,
): Promise<string> {
  const { saveDataSource } = await client.send(SaveDataSource, {
    input: { catalogName: 'blade', schemaName: 'field', ...input },
  });
  if (saveDataSource.__typename !== 'SaveDataSourceSuccess') throw new Error(JSON.stringify(saveDataSource));
  return uuid(saveDataSource.dataSource.id);
}

/** The UUID in the id of a node. */
export function uuid(globalId: string): string {
  return globalId.slice(globalId.indexOf(':') + 1);
}

/** An item as the database has it. */
export interface StoredItem {
  readonly dataType: string;
  readonly itemId: string;
  readonly marking: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly contentHash: string;
  readonly uploadedAt: Date | null;
  readonly updatedAt: Date;
  readonly pendingPartitionId: string | null;
  /** The transaction that wrote the row last. */
  readonly writtenBy: string;
}

/** Every item of the database. */
export async function storedItems({ database }: TestApplication): Promise<StoredItem[]> {
  const { rows } = await database.pool.query<StoredItem>(
    `select data_type as "dataType", item_id as "itemId", classification_marking as marking, data,
       metadata || coalesce(query_metadata, '{}') as metadata, content_hash as "contentHash", uploaded_at as "uploadedAt", updated_at as "updatedAt",
       partition_id as "pendingPartitionId", i.xmin::text as "writtenBy"
     from blade_item i left join upload_batch b on b.id = i.upload_batch_id order by data_type, item_id`,
  );
  return rows;
}

/** What the catalog holds: the content hash of each item by its name there. */
export async function catalogContent({ catalogFolder }: TestApplication): Promise<Map<string, string>> {
  const content = new Map<string, string>();
  for await (const { catalogId, contentHash } of readFolderCatalog(catalogFolder)) {
    if (content.has(catalogId)) throw new Error(`${catalogId} is in the catalog twice`);
    content.set(catalogId, contentHash);
  }
  return content;
}

/** What the catalog should hold by what the database has as uploaded. */
export function uploadedContent(items: readonly StoredItem[]): Map<string, string> {
  return new Map(
    items.flatMap(({ dataType, itemId, uploadedAt, contentHash }) =>
      uploadedAt === null ? [] : [[`BLADE-${dataType}-${itemId}`, contentHash] as const],
    ),
  );
}

/** Empties database and catalog under the running program: no job may be active. */
export async function forgetAll({ database, catalogFolder }: TestApplication): Promise<void> {
  await database.pool.query('truncate job, blade_item, read_batch, data_source cascade');
  for (const name of await readdir(catalogFolder).catch(() => [])) {
    await rm(join(catalogFolder, name), { recursive: true });
  }
}
