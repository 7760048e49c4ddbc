import { isAbsolute, relative, sep } from 'node:path';
import { RESTORE_FOLDER } from '../backup/restore.ts';
import { folderCatalog } from '../catalog/folder/definition.ts';
import { hasUploads } from '../catalog/folder/folder-check.ts';
import type { Config } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import { openDatabase } from '../database/open-database.ts';
import { settingsFor } from '../shared/definition.ts';
import { type ConfiguredFolder, readNames } from '../shared/folder-access.ts';
import { DamagedFolderError, nameSome, removeClutter } from '../shared/folder-error.ts';
import { folderWarehouse } from '../warehouse/duckdb/definition.ts';

/**
 * Opens the database that the configuration names.
 * @throws FolderError when an embedded one cannot be opened, or would begin in a data folder that is neither new nor whole;
 * otherwise what `openDatabase` throws.
 */
export async function openConfiguredDatabase(config: Config): Promise<Database> {
  if (config.database.url === undefined) await checkNewDatabase(config);
  return openDatabase(config.database);
}

/** A data folder without a database is new, or a part of it was lost, or it is something else, such as somebody's home. */
async function checkNewDatabase({ catalog, database, warehouse }: Config): Promise<void> {
  const { dataFolder, folder: databaseFolder } = database;
  const configured: ConfiguredFolder = { path: dataFolder, setting: 'BLADE_DATA_FOLDER' };
  if (readThings({ ...configured, path: databaseFolder }).length > 0) return;

  const catalogFolder = settingsFor(folderCatalog, catalog)?.folder;
  const parts = [catalogFolder, settingsFor(folderWarehouse, warehouse)?.folder].filter(
    (part) => part !== undefined,
  );
  const ours = new Set([
    'database',
    'warehouse',
    'catalog',
    ...parts.map((part) => nameIn(dataFolder, part)),
  ]);
  if (readThings(configured).includes(RESTORE_FOLDER)) {
    throw new DamagedFolderError(dataFolder, 'a restore into it runs, or has not ended', {
      restore: 'wait for it; if it was ended, delete what is in the folder and restore again.',
      startOver: 'delete what is in the folder.',
    });
  }
  const foreign = readThings(configured).filter((name) => !ours.has(name));
  if (foreign.length > 0 && !parts.includes(dataFolder)) {
    throw new DamagedFolderError(dataFolder, `it holds no database, but ${nameSome(foreign)}`, {
      restore: 'put a whole backup of a data folder in its place.',
      startOver: 'name a new or empty folder by BLADE_DATA_FOLDER.',
    });
  }
  if (catalogFolder !== undefined && nameIn(dataFolder, catalogFolder) && (await hasUploads(catalogFolder))) {
    throw new DamagedFolderError(
      dataFolder,
      `its database is missing, but ${catalogFolder} holds what it uploaded`,
      {
        restore: `put a whole backup of ${databaseFolder} in its place.`,
        startOver: `move or delete ${catalogFolder}, too.`,
      },
    );
  }
}

const readThings = (folder: ConfiguredFolder) => removeClutter(readNames(folder) ?? []);

/** What a folder has the name of at the top of another one that it is in; empty if it is not in there. */
function nameIn(outer: string, inner: string): string {
  const [name = ''] = relative(outer, inner).split(sep);
  return name === '..' || isAbsolute(name) ? '' : name;
}
