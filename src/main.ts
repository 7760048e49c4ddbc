import { pino } from 'pino';
import { type Application, startApplication } from './application.ts';
import { ConfigError, parseConfig } from './config.ts';

/** Starts the program with the environment's configuration, and stops it on SIGINT or SIGTERM. */
async function main(): Promise<void> {
  const config = parseConfig(process.env);
  const log = pino({ level: config.logLevel, base: null });
  const application = await startApplication(config, log);
  stopOnSignal(application);
  void application.databaseLost.then(async (reason) => {
    log.fatal({ err: reason }, 'the database is lost; started again, the program goes on where it was');
    await application.stop();
    process.exit(1);
  });
  if (application.url !== null) log.info(`GraphQL and GraphiQL are at ${application.url}`);
}

/** How long stopping may take before the process ends all the same, in milliseconds. */
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

main().catch((error: unknown) => {
  const message = error instanceof ConfigError ? error.message : error;
  process.stderr.write(`${message instanceof Error ? message.stack : message}\n`);
  process.exit(1);
});
