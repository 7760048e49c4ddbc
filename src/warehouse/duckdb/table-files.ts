import { createHash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { asciiLowerCase } from '../../shared/ascii-case.ts';
import { type TableName, WarehouseError } from '../warehouse.ts';
import type { NamedFile } from './error.ts';
import { type Partition, parsePartition } from './hive-partitions.ts';

/** How the rows of a file are written; NDJSON has an object on each line. */
export type FileFormat = 'parquet' | 'csv' | 'ndjson';

/** A file with rows of a table. */
export interface DataFile extends NamedFile {
  /** Its path within the folder of its table; its name if it is the table. */
  readonly place: string;
  readonly partition: Partition;
  /** How large it is, as it is stored. */
  readonly bytes: number;
}

/** The files of a table in their current state, not yet opened. */
export interface FoundTable extends NamedFile {
  /** The name as spelled by the folders and the file. */
  readonly name: TableName;
  readonly format: FileFormat;
  /** The file of the table, or the files in its folder; at least one. */
  readonly files: readonly DataFile[];
  /** Whether the table is a folder. */
  readonly isFolder: boolean;
  /** The identity, size and times of the files. If one changes, at least one of them does. */
  readonly version: string;
  /** The part of the version that a copy on another machine can have, too. */
  readonly portableVersion: string;
}

/**
 * Finds the files of a table: `<table>.parquet`, `.csv`, `.ndjson`, `.jsonl` or `.json`, the texts also as `.gz` or `.zst`, or
 * a folder `<table>` of such files, as Spark writes them. The folders are listed, because the name of a table must not be
 * used as a path.
 * @param folder the folder of the warehouse.
 * @throws WarehouseError TABLE_NOT_FOUND if there is none, STATEMENT_FAILED if what is there is not one table.
 */
export async function findTableFiles(folder: string, table: TableName): Promise<FoundTable> {
  const catalog = await findFolder({ path: folder, label: '' }, table.catalog);
  if (catalog === null) throw createNotFoundError(table, `Its folder has no folder ${table.catalog}`);
  const schema = await findFolder({ path: join(folder, catalog), label: catalog }, table.schema);
  if (schema === null)
    throw createNotFoundError(table, `Its folder has no folder ${table.catalog}/${table.schema}`);
  const parent = join(folder, catalog, schema);
  const label = [catalog, schema].join('/');
  const entries = await listEntries({ path: parent, label });
  const claims = entries.flatMap((entry) => toClaim(entry, table.table));
  const [claim, other] = claims;
  if (claim === undefined) throw createNotFoundError(table, describeSearch(label, table.table, entries));
  if (other !== undefined)
    throw new WarehouseError(
      'STATEMENT_FAILED',
      `Both ${claim.entry.name} and ${other.entry.name} in ${label} claim to be the table ${formatName(table)}: rename or remove one of them.`,
    );
  const path = join(parent, claim.entry.name);
  const found: Place = { folder, path, label: toLabel(folder, path) };
  const isFolder = claim.entry.kind === 'folder';
  const files = isFolder ? await listDataFiles(found, table) : [await toFile(found)];
  const [first] = files;
  if (first === undefined) throw createNotFoundError(table, `The folder ${found.label} holds no data file`);
  return {
    path,
    label: found.label,
    name: { catalog, schema, table: claim.table },
    format: findFormat(files),
    files: files.map(({ path, label, place, partition, bytes }) => ({
      path,
      label,
      place,
      partition,
      bytes,
    })),
    isFolder,
    version: isFolder ? joinVersions(files, ({ version }) => version) : first.version,
    portableVersion: isFolder
      ? joinVersions(files, ({ portableVersion }) => portableVersion)
      : first.portableVersion,
  };
}

interface Entry {
  readonly name: string;
  /** Of a link, what it leads to. */
  readonly kind: 'file' | 'folder' | 'broken link' | 'special file';
}

/**
 * Lists what is in a folder, in the order of the names. None if there is no such folder.
 * @throws WarehouseError STATEMENT_FAILED if it cannot be listed: no files would look like an empty table.
 */
async function listEntries({ path, label }: NamedFile): Promise<readonly Entry[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: unknown): Dirent[] => {
    if (isMissing(error)) return [];
    throw refuseEntry('folder', label, error);
  });
  const found = await Promise.all(entries.map((entry) => toEntry(path, label, entry)));
  return found.sort((one, other) => (one.name < other.name ? -1 : 1));
}

async function toEntry(folder: string, label: string, entry: Dirent): Promise<Entry> {
  const { name } = entry;
  if (!entry.isSymbolicLink()) return { name, kind: toKind(entry) };
  const target = await stat(join(folder, name)).catch((error: unknown) => {
    if (isMissing(error)) return null;
    throw refuseEntry('link', label === '' ? name : `${label}/${name}`, error);
  });
  return { name, kind: target === null ? 'broken link' : toKind(target) };
}

function toKind(entry: Pick<Dirent, 'isFile' | 'isDirectory'>): Entry['kind'] {
  if (entry.isDirectory()) return 'folder';
  return entry.isFile() ? 'file' : 'special file';
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

function refuseEntry(kind: string, label: string, cause: unknown): WarehouseError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
  const name = label === '' ? `The ${kind} of the warehouse` : `The ${kind} ${label}`;
  return new WarehouseError('STATEMENT_FAILED', `${name} cannot be read (${code}).`, { cause });
}

/** Finds a folder by its name, in any case if none is spelled like it. */
async function findFolder(parent: NamedFile, name: string): Promise<string | null> {
  const folders = (await listEntries(parent)).filter(({ kind }) => kind === 'folder');
  const spelled = asciiLowerCase(name);
  const found =
    folders.find((folder) => folder.name === name) ??
    folders.find((folder) => asciiLowerCase(folder.name) === spelled);
  return found?.name ?? null;
}

interface Claim {
  readonly entry: Entry;
  /** The name of the table as it is spelled. */
  readonly table: string;
}

/** Returns whether a file or folder is a table of a name, in any case. Spark also names folders like files. */
function toClaim(entry: Entry, table: string): readonly Claim[] {
  const wanted = asciiLowerCase(table);
  if (entry.kind === 'folder' && asciiLowerCase(entry.name) === wanted) return [{ entry, table: entry.name }];
  if (entry.kind !== 'folder' && entry.kind !== 'file') return [];
  const name = DATA_FILE.exec(entry.name)?.groups?.table;
  return name !== undefined && asciiLowerCase(name) === wanted ? [{ entry, table: name }] : [];
}

const DATA_FILE =
  /^(?<table>.*)\.(?:(?<parquet>parquet)|(?:(?<csv>csv)|json|jsonl|ndjson)(?:\.gz|\.zst)?)$/is;

function parseFormat(name: string): FileFormat | null {
  const groups = DATA_FILE.exec(name)?.groups;
  if (groups === undefined) return null;
  if (groups.parquet !== undefined) return 'parquet';
  return groups.csv === undefined ? 'ndjson' : 'csv';
}

/** A file or folder below the folder of the warehouse. */
interface Place extends NamedFile {
  readonly folder: string;
}

interface VersionedFile extends DataFile {
  readonly version: string;
  readonly portableVersion: string;
}

async function toFile(
  { path, label }: Place,
  place = label.slice(label.lastIndexOf('/') + 1),
  partition: Partition = new Map(),
): Promise<VersionedFile> {
  const status = await stat(path, { bigint: true }).catch((cause: unknown) => {
    throw new WarehouseError('CHANGED', `${label} was deleted while it was read.`, { cause });
  });
  return {
    ...{ path, label, place, partition, bytes: Number(status.size) },
    // The time of the last write (mtime) can be set back, as by a copy that preserves times, but not ctime.
    portableVersion: [status.size, status.mtimeNs].join('-'),
    version: [status.ino, status.size, status.mtimeNs, status.ctimeNs].join('-'),
  };
}

/** Lists the data files in the folder of a table, in the order of their paths. */
async function listDataFiles(table: Place, name: TableName): Promise<readonly VersionedFile[]> {
  const files = await walk(table, { table, name, partition: new Map() });
  if (files.length > MAX_FILES)
    throw refuseFolder(name, `it has ${files.length} files, and at most ${MAX_FILES} are read`);
  const [first] = files;
  const differing = files.find((file) => joinKeys(file) !== joinKeys(first));
  if (first !== undefined && differing !== undefined)
    throw refuseFolder(
      name,
      `${first.place} and ${differing.place} are not in partitions of the same columns`,
    );
  // Spark writes an empty file for a part without rows.
  const filled = files.filter(({ bytes }) => bytes > 0);
  return filled.length > 0 ? filled : files.slice(0, 1);
}

/** More files would take longer to open than to read. */
const MAX_FILES = 10_000;

function joinKeys(file: DataFile | undefined): string {
  return JSON.stringify([...(file?.partition.keys() ?? [])].map(asciiLowerCase));
}

interface Walk {
  readonly table: Place;
  readonly name: TableName;
  readonly partition: Partition;
}

async function walk(place: Place, within: Walk): Promise<readonly VersionedFile[]> {
  const files: VersionedFile[] = [];
  for (const { name, kind } of await listEntries(place)) {
    const path = join(place.path, name);
    const entry = { folder: place.folder, path, label: toLabel(place.folder, path) };
    const inTable = toLabel(within.table.path, path);
    if (kind === 'folder') {
      const format = TABLE_FORMATS.get(name);
      if (format !== undefined) throw refuseFolder(within.name, format);
      if (isHidden(name)) continue;
      const partition = parsePartition(name);
      if (partition === null)
        throw refuseFolder(
          within.name,
          `${inTable} is a folder that names no partition, as day=2024-01-02 would`,
        );
      const [key, value] = partition;
      if ([...within.partition.keys()].some((known) => asciiLowerCase(known) === asciiLowerCase(key)))
        throw refuseFolder(within.name, `${inTable} names the column ${key} twice`);
      files.push(
        ...(await walk(entry, { ...within, partition: new Map([...within.partition, [key, value]]) })),
      );
    } else if (!isHidden(name)) {
      if (kind !== 'file')
        throw refuseFolder(
          within.name,
          kind === 'broken link' ? `${inTable} is a link to nothing` : `${inTable} is no regular file`,
        );
      if (parseFormat(name) === null)
        throw refuseFolder(within.name, `${inTable} is none of ${READABLE}. Move it away, or convert it`);
      files.push(await toFile(entry, inTable, within.partition));
    }
  }
  return files;
}

/** Folders of tables whose files alone do not tell which rows there are. */
const TABLE_FORMATS: ReadonlyMap<string, string> = new Map(
  [
    ['_delta_log', 'a Delta table'],
    ['.hoodie', 'a Hudi table'],
    ['metadata', 'an Iceberg table'],
  ].map(([folder = '', format = '']) => [
    folder,
    `it is ${format}, whose files can hold rows that were deleted. Read it through Databricks, or write its rows as Parquet`,
  ]),
);

/** Whether Spark ignores a file or folder, as it does its own markers. */
function isHidden(name: string): boolean {
  return name.startsWith('.') || (name.startsWith('_') && !name.includes('='));
}

function findFormat(files: readonly DataFile[]): FileFormat {
  const [first, ...others] = files;
  const format = parseFormat(first?.place ?? '') ?? 'parquet';
  const differing = others.find(({ place }) => parseFormat(place) !== format);
  if (differing === undefined) return format;
  throw new WarehouseError(
    'STATEMENT_FAILED',
    `The files of a table have one format, but ${first?.label} and ${differing.label} have two: put them into two folders.`,
  );
}

/** Joins the versions of the files in a folder with their places: a file that is only renamed gives another one. */
function joinVersions(files: readonly VersionedFile[], read: (file: VersionedFile) => string): string {
  const versions = files.map((file) => [file.place, read(file)]);
  return createHash('sha256').update(JSON.stringify(versions)).digest('base64url');
}

function toLabel(folder: string, path: string): string {
  return relative(folder, path).replaceAll(sep, '/');
}

function formatName({ catalog, schema, table }: TableName): string {
  return `${catalog}.${schema}.${table}`;
}

function refuseFolder(table: TableName, reason: string): WarehouseError {
  return new WarehouseError(
    'STATEMENT_FAILED',
    `The folder of ${formatName(table)} cannot be read: ${reason}.`,
  );
}

function createNotFoundError(table: TableName, reason: string): WarehouseError {
  return new WarehouseError(
    'TABLE_NOT_FOUND',
    `There is no table ${formatName(table)} in the warehouse. ${reason}.`,
  );
}

const READABLE = '.parquet, .csv, .ndjson, .jsonl or .json (the texts also with .gz or .zst)';

function describeSearch(folder: string, table: string, entries: readonly Entry[]): string {
  const names = entries
    .filter(({ name }) => !isHidden(name))
    .map(({ name, kind }) => (kind === 'folder' ? `${name}/` : name));
  const more = names.length > MAX_SHOWN ? ` and ${names.length - MAX_SHOWN} more` : '';
  const found = names.length === 0 ? 'is empty' : `has ${names.slice(0, MAX_SHOWN).join(', ')}${more}`;
  return `${folder} ${found}; the table would be a folder ${table}, or a file ${table} that ends in ${READABLE}`;
}

const MAX_SHOWN = 10;
