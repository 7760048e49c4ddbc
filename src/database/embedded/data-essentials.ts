import type { PGlite } from '@electric-sql/pglite';
import { nameSome } from '../../shared/folder-error.ts';
import type { DataFile } from './data-files.ts';

/** The major version of PGlite's PostgreSQL, as in the file PG_VERSION of a data folder. */
export const POSTGRESQL_VERSION = '18';

/** Describes which files of every data folder a folder without a manifest lacks; null if it has all of them. */
export function findMissingEssentials(files: readonly DataFile[]): string | null {
  const present = new Set(files.map(({ path }) => path));
  const missing = [
    ...ESSENTIALS.filter((path) => !present.has(path)),
    ...NEVER_EMPTY.filter((folder) => !files.some(({ path }) => path.startsWith(`${folder}/0`))).map(
      (folder) => `${folder}/0…`,
    ),
  ];
  return missing.length > 0 ? `files are missing: ${nameSome(missing)}` : null;
}

/**
 * Describes which files of tables and indexes were missing before a database was opened; null if none was.
 * @param files the files in its folder before it was opened.
 */
export async function findMissingRelations(
  database: PGlite,
  files: readonly DataFile[],
): Promise<string | null> {
  const relations = await findRelations(database);
  const present = new Set(files.map(({ path }) => path));
  const missing = [...relations].filter((path) => !present.has(path));
  return missing.length > 0
    ? `${missing.length} of ${relations.size} files of tables and indexes are missing: ${nameSome(missing)}`
    : null;
}

/** Finds the files of all tables and indexes. */
export async function findRelations(database: PGlite): Promise<ReadonlySet<string>> {
  const { rows } = await database.query<{ path: string }>(
    'select pg_relation_filepath(oid) as path from pg_class where pg_relation_filepath(oid) is not null',
  );
  return new Set(rows.map(({ path }) => path));
}

/** What initdb creates and nothing removes. */
const ESSENTIALS = [
  ...['PG_VERSION', 'postgresql.conf', 'postgresql.auto.conf', 'pg_hba.conf', 'pg_ident.conf'],
  ...['global', 'global/pg_control', 'global/pg_filenode.map'],
  ...['base', 'base/5', 'base/5/PG_VERSION', 'base/5/pg_filenode.map'],
  ...['pg_wal', 'pg_wal/archive_status', 'pg_wal/summaries'],
  ...[
    'pg_xact',
    'pg_multixact',
    'pg_multixact/members',
    'pg_multixact/offsets',
    'pg_subtrans',
    'pg_commit_ts',
  ],
  ...['pg_logical', 'pg_logical/mappings', 'pg_logical/snapshots', 'pg_replslot', 'pg_twophase'],
  ...['pg_dynshmem', 'pg_notify', 'pg_serial', 'pg_snapshots', 'pg_stat', 'pg_stat_tmp', 'pg_tblspc'],
];

/** Folders that always have at least one file. */
const NEVER_EMPTY = ['pg_wal', 'pg_xact', 'pg_multixact/members', 'pg_multixact/offsets'];
