import { createLog, logConsole } from './application/log.ts';
import { type Application, startApplication } from './application/start-application.ts';
import { ConfigError } from './config/load.ts';
import { loadProgram } from './config/load-program.ts';
import { UnsuitableDatabaseError } from './database/server-check.ts';
import { PluginError } from './plugins/plugin.ts';
import { collectAfterStart } from './shared/collect-garbage.ts';
import { FolderError } from './shared/folder-error.ts';
import { createRedact } from './shared/secrets.ts';

/** Starts the program as the environment configures it, and stops it on SIGINT or SIGTERM. */
async function main(): Promise<void> {
  const config = await loadProgram(process.env);
  const log = createLog(config);
  logConsole(log);
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'an error was not handled');
    process.exit(1);
  });
  const application = await startApplication(config, log).catch((error: unknown) =>
    fail(createRedact(config.secrets)(toText(error))),
  );
  stopOnSignal(application);
  collectAfterStart();
  void application.databaseLost.then(async (reason) => {
    log.fatal({ err: reason }, 'the database is lost; start the program again, and it resumes where it was');
    await application.stop();
    process.exit(1);
  });
  if (application.url !== null) log.info(`GraphQL and GraphiQL are at ${application.url}`);
}

/** How long stopping may take before the process exits anyway, in milliseconds. */
const STOP_LIMIT_MS = 25_000;

function stopOnSignal(application: Application): void {
  let isStopping = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (isStopping) process.exit(1);
      isStopping = true;
      setTimeout(() => process.exit(1), STOP_LIMIT_MS).unref();
      void application.stop().then(() => process.exit(0));
    });
  }
}

function fail(text: string): never {
  process.stderr.write(`${text}\n`);
  process.exit(1);
}

function toText(error: unknown): string {
  const clearErrors = [ConfigError, FolderError, PluginError, UnsuitableDatabaseError];
  if (error instanceof Error && clearErrors.some((kind) => error instanceof kind)) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

main().catch((error: unknown) => fail(toText(error)));
