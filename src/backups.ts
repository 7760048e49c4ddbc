// The commands `blade-ingestion backup` and `restore`, which `blade` runs, too: they work on the folders that the environment
// configures, while no server has them open.
import { randomUUID } from 'node:crypto';
import { createWriteStream, existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { Command } from 'commander';
import { backUpStopped } from './backup/backup.ts';
import { BackupError } from './backup/backup-error.ts';
import { restoreBackup } from './backup/restore.ts';
import { folderCatalog } from './catalog/folder/definition.ts';
import { checkCatalogFolder } from './catalog/folder/folder-check.ts';
import type { Config } from './config/config.ts';
import { ConfigError } from './config/load.ts';
import { loadProgram } from './config/load-program.ts';
import { takeFolder } from './database/embedded/database-folder.ts';
import { FolderLockedError } from './database/embedded/folder-lock.ts';
import { PluginError } from './plugins/plugin.ts';
import { settingsFor } from './shared/definition.ts';
import { isFileError } from './shared/file-error.ts';
import { FolderError } from './shared/folder-error.ts';
import { describeFileError, keepFile, refuseExisting, removeFile } from './shared/new-file.ts';

const program = new Command('blade-ingestion').showHelpAfterError();

program
  .command('backup')
  .description('Backs up the embedded database and the folder catalog while no server runs.')
  .argument('<file>', 'file to create')
  .action(async (file: string) => {
    const config = await loadProgram(process.env);
    checkEmbedded(config);
    await backUp(file, config);
  });

program
  .command('restore')
  .description('Restores a backup into the empty folders that the environment configures.')
  .argument('<file>', 'backup to restore')
  .action(async (file: string) => {
    const config = await loadProgram(process.env);
    checkEmbedded(config);
    const catalogFolder = findCatalogFolder(config);
    await restoreBackup(file, {
      dataFolder: { path: config.database.dataFolder, setting: 'BLADE_DATA_FOLDER' },
      databaseFolder: config.database.folder,
      catalogFolder: catalogFolder === null ? null : { path: catalogFolder, setting: 'BLADE_CATALOG_FOLDER' },
    });
    process.stdout.write(`Restored ${file} into ${config.database.dataFolder}.\n`);
  });

function checkEmbedded({ database }: Config): void {
  if (database.url === undefined) return;
  throw new BackupError(
    'DATABASE_URL names a PostgreSQL server, which its own tools back up and restore: see docs/operations.md, "Back up and restore"',
  );
}

function findCatalogFolder({ catalog }: Config): string | null {
  return settingsFor(folderCatalog, catalog)?.folder ?? null;
}

async function backUp(file: string, config: Config): Promise<void> {
  const { folder } = config.database;
  refuseExisting(file);
  if (!existsSync(folder)) {
    throw new BackupError(`there is no database in ${config.database.dataFolder}: set BLADE_DATA_FOLDER`);
  }
  const catalog = findCatalogFolder(config);
  const { lock, found } = await takeFolder(folder);
  const temporaryFile = `${file}.${randomUUID()}.part`;
  try {
    if (found === null) throw new BackupError(`${folder} has no data yet`);
    const missing = catalog === null ? [] : await checkCatalogFolder(catalog);
    if (missing.length > 0) {
      throw new BackupError(
        `${missing.length} files of uploads are missing from ${catalog}: start the server, and run a sync or \`blade catalog repair\`, which uploads their items again`,
      );
    }
    const hasCatalog = catalog !== null && existsSync(catalog);
    await pipeline(
      backUpStopped({ database: folder, catalog: hasCatalog ? catalog : null }),
      createWriteStream(temporaryFile, { flags: 'wx', mode: 0o600, flush: true }),
    );
    await keepFile(temporaryFile, file);
  } finally {
    await removeFile(temporaryFile);
    await lock.abandon();
  }
  const { size } = await stat(file);
  process.stdout.write(`Backed up ${config.database.dataFolder} to ${file} (${size} bytes).\n`);
}

function describeProblem(error: unknown): string {
  if (error instanceof FolderLockedError) {
    return `${error.message}\nWhile the server runs, back up through it: blade backup FILE --url …`;
  }
  if (isFileError(error)) return describeFileError(error);
  if (error instanceof BackupError) return `${error.message}.`;
  const clearErrors = [ConfigError, FolderError, PluginError];
  if (error instanceof Error && clearErrors.some((kind) => error instanceof kind)) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

await program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`${describeProblem(error)}\n`);
  process.exitCode = 1;
});
