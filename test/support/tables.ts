import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { copyRows } from '../../src/warehouse/demo/copy-table.ts';
import type { CreateDataSourceInput } from '../generated/graphql.ts';
import type { ApiClient } from './api-client.ts';
import { readFolderCatalog } from './folder-catalog.ts';
import { CreateDataSource } from './operations.ts';
import { createSortieTable } from './sortie-table.ts';
import type { TestApplication } from './test-application.ts';

/** Writes the table `blade.field.<table>` with these rows, and replaces an existing one. */
export async function writeRows(folder: string, table: string, rows: readonly object[]): Promise<void> {
  await replaceTable(folder, `${table}.ndjson`, (path) =>
    writeFile(path, rows.map((row) => `${JSON.stringify(row)}\n`).join('')),
  );
}

/** Writes the table `blade.field.<table>` with the rows of a DuckDB query, and replaces an existing one. */
export async function writeQuery(folder: string, table: string, query: string): Promise<void> {
  await replaceTable(folder, `${table}.parquet`, async (path) => {
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    try {
      await connection.run("SET TimeZone = 'UTC'");
      await copyRows(connection, query, path);
    } finally {
      connection.closeSync();
      instance.closeSync();
    }
  });
}

/** Writes a file of `blade.field` with this text, and replaces an existing one. */
export async function writeText(folder: string, file: string, text: string): Promise<void> {
  await replaceTable(folder, file, (path) => writeFile(path, text));
}

/** Removes the table `blade.field.<table>` from the warehouse. */
export async function removeTable(folder: string, table: string): Promise<void> {
  await removeFiles(folder, table, ENDINGS);
}

const ENDINGS = ['ndjson', 'parquet', 'csv'];

async function replaceTable(folder: string, file: string, write: (path: string) => Promise<void>) {
  const path = createPath(folder, file);
  const unfinished = join(dirname(path), `.${randomUUID()}.${file}`);
  await mkdir(dirname(path), { recursive: true });
  await write(unfinished);
  await rename(unfinished, path);
  const table = file.slice(0, file.lastIndexOf('.'));
  // Two files of a table are an error.
  const others = ENDINGS.filter((ending) => file !== `${table}.${ending}`);
  await removeFiles(folder, table, others);
}

async function removeFiles(folder: string, table: string, endings: readonly string[]): Promise<void> {
  for (const ending of endings) await rm(createPath(folder, `${table}.${ending}`), { force: true });
}

function createPath(folder: string, file: string): string {
  return join(folder, 'blade', 'field', file);
}

/**
 * Adds a source that reads `blade.field.<tableName>`: the sorties of `blade.field.sortie` unless the input says otherwise.
 * @returns its UUID.
 */
export async function addSource(
  { client }: { readonly client: ApiClient },
  input: Partial<CreateDataSourceInput> = {},
): Promise<string> {
  const { createDataSource } = await client.send(CreateDataSource, {
    input: {
      name: 'Sorties',
      dataType: 'sortie',
      catalogName: 'blade',
      schemaName: 'field',
      tableName: 'sortie',
      ...input,
    },
  });
  if (createDataSource.__typename !== 'CreateDataSourceSuccess')
    throw new Error(JSON.stringify(createDataSource));
  return uuid(createDataSource.dataSource.id);
}

/** Writes the table `blade.field.sortie` and adds the source that reads it. @returns the source's UUID. */
export async function addSorties(application: TestApplication, rows: number): Promise<string> {
  await writeSorties(application.warehouseFolder, rows);
  return addSource(application, { cursorColumn: 'updated_at' });
}

/** Writes the table `blade.field.sortie` with rows of the demo. @param folder of the warehouse. */
export function writeSorties(folder: string, rows: number): Promise<void> {
  return createSortieTable({
    folder,
    table: { catalog: 'blade', schema: 'field', table: 'sortie' },
    rows,
  });
}

/** Returns the UUID in the id of a node. */
export function uuid(globalId: string): string {
  return globalId.slice(globalId.indexOf(':') + 1);
}

/** An item in the database. */
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

/** Reads every item in the database. */
export async function storedItems({ database }: TestApplication): Promise<StoredItem[]> {
  const { rows } = await database.pool.query<StoredItem>(
    `select data_type as "dataType", item_id as "itemId", classification_marking as marking, data,
       metadata || coalesce(query_metadata, '{}') as metadata, content_hash as "contentHash", uploaded_at as "uploadedAt", updated_at as "updatedAt",
       partition_id as "pendingPartitionId", i.xmin::text as "writtenBy"
     from blade_item i left join upload_batch b on b.id = i.upload_batch_id order by data_type, item_id`,
  );
  return rows;
}

/** Reads the catalog: the content hash of each item by its name there. */
export async function catalogContent({
  catalogFolder,
}: Pick<TestApplication, 'catalogFolder'>): Promise<Map<string, string>> {
  const content = new Map<string, string>();
  for await (const { catalogId, contentHash } of readFolderCatalog(catalogFolder)) {
    if (content.has(catalogId)) throw new Error(`${catalogId} is in the catalog twice`);
    content.set(catalogId, contentHash);
  }
  return content;
}

/** Lists what the catalog should contain, by the uploads in the database. */
export function uploadedContent(items: readonly StoredItem[]): Map<string, string> {
  return new Map(
    items.flatMap(({ dataType, itemId, uploadedAt, contentHash }) =>
      uploadedAt === null ? [] : [[`BLADE-${dataType}-${itemId}`, contentHash] as const],
    ),
  );
}

/** Empties database and catalog of a running program, which must have no active job. */
export async function forgetAll({ database, catalogFolder }: TestApplication): Promise<void> {
  await database.pool.query('truncate job, blade_item, read_batch, data_source cascade');
  for (const name of await readdir(catalogFolder).catch(() => [])) {
    await rm(join(catalogFolder, name), { recursive: true });
  }
}
