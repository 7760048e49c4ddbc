import { format } from 'node:util';
import { type DestinationStream, type Logger, pino } from 'pino';
import type { Config } from '../config/config.ts';
import { createRedact } from '../shared/secrets.ts';

/** Writes the log: a JSON object a line, in which no secret of the configuration is shown, wherever it comes from. */
export function createLog(
  { log: { level }, secrets }: Pick<Config, 'log' | 'secrets'>,
  destination: DestinationStream = pino.destination({ sync: true }),
): Logger {
  return pino({ level, base: null, hooks: { streamWrite: createRedact(secrets) } }, destination);
}

/** Lets what libraries write to the console go to the log. */
export function logConsole(log: Logger): void {
  const as =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (...values: unknown[]) =>
      log[level](format(...values));
  Object.assign(console, {
    ...{ debug: as('debug'), log: as('info'), info: as('info'), warn: as('warn'), error: as('error') },
  });
}
