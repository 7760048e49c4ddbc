import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { ArchiveError, readArchive } from '../../shared/archive.ts';
import { isFileError } from '../../shared/file-error.ts';
import { resolveModuleUrl } from '../../shared/module-url.ts';
import { describeFileError, keepFile, refuseExisting, removeFile } from '../../shared/new-file.ts';
import { CommandError } from '../command-error.ts';
import { type CommandContext, toAction } from '../context.ts';
import { ExitCode } from '../exit-code.ts';
import { isServerNamed, type ServerOptions } from '../server-address.ts';

/** Adds `backup` and `restore`. */
export function addBackupCommands(program: Command): void {
  program
    .command('backup')
    .description(
      'Back up the embedded database and the folder catalog: through the server if one runs, otherwise from the data folder.',
    )
    .argument('<file>', 'file to create; only you can read it')
    .action((file: string, _options: object, command: Command) =>
      toAction<object, [string]>((context) => {
        const isNamed = isServerNamed(command.optsWithGlobals<ServerOptions>(), process.env);
        return backUp(context, resolve(file), isNamed);
      })(command),
    );

  program
    .command('restore')
    .description(
      'Restore a backup into an empty data folder, which BLADE_DATA_FOLDER names. Needs no server.',
    )
    .argument('<file>', 'file that blade backup created')
    .action(
      toAction<object, [string]>((_context, _options, file) => runOnFolder(['restore', resolve(file)])),
    );
}

async function backUp(
  { api, output }: CommandContext,
  file: string,
  isServerNamed: boolean,
): Promise<ExitCode | undefined> {
  try {
    refuseExisting(file);
    const body = await api.fetchBackup().catch((error: unknown) => {
      // Nothing listens at the default address, so the data folder can be opened.
      if (!isServerNamed && error instanceof CommandError && error.exitCode === ExitCode.UNREACHABLE)
        return null;
      throw error;
    });
    if (body === null) return await runOnFolder(['backup', file]);
    await save(body, file);
  } catch (error) {
    if (isFileError(error)) throw new CommandError(ExitCode.INVALID_INPUT, describeFileError(error));
    throw error;
  }
  const { size } = await stat(file);
  output.writeResult({ file, bytes: size }, () => output.say(`Backed up to ${file} (${size} bytes).`));
  return undefined;
}

/** Saves a backup under its name only once it is whole. */
async function save(body: ReadableStream<Uint8Array>, file: string): Promise<void> {
  const temporaryFile = `${file}.${randomUUID()}.part`;
  try {
    await pipeline(
      Readable.from(body, { objectMode: false }),
      createWriteStream(temporaryFile, { flags: 'wx', mode: 0o600, flush: true }),
    );
    await readArchive(createReadStream(temporaryFile));
    await keepFile(temporaryFile, file);
  } catch (error) {
    if (isFileError(error)) throw error;
    if (error instanceof ArchiveError || error instanceof TypeError) {
      throw new CommandError(
        ExitCode.UNREACHABLE,
        'the server did not send all of the backup; its log tells why. Nothing was saved',
      );
    }
    throw error;
  } finally {
    await removeFile(temporaryFile);
  }
}

/** Runs the server's own command, which opens the folders that the environment configures. */
async function runOnFolder(parameters: readonly string[]): Promise<ExitCode | undefined> {
  const program = fileURLToPath(resolveModuleUrl('../../backups', import.meta.url));
  const child = spawn(process.execPath, [program, ...parameters], { stdio: 'inherit' });
  const [code] = await once(child, 'exit');
  return code === 0 ? undefined : ExitCode.FAILED;
}
