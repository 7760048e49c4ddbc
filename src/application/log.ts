import { format } from 'node:util';
import { type DestinationStream, type Logger, pino } from 'pino';
import type { Config } from '../config/config.ts';
import { createRedact } from '../shared/secrets.ts';

/** Creates the log: a JSON object a line, with every secret of the configuration redacted. */
export function createLog(
  { log: { level }, secrets }: Pick<Config, 'log' | 'secrets'>,
  destination: DestinationStream = pino.destination({ sync: true }),
): Logger {
  return pino({ level, base: null, hooks: { streamWrite: createRedact(secrets) } }, destination);
}

/** Redirects the console, which libraries write to, to the log. */
export function logConsole(log: Logger): void {
  const levels = { debug: 'debug', log: 'info', info: 'info', warn: 'warn', error: 'error' } as const;
  for (const [method, level] of Object.entries(levels)) {
    Object.assign(console, { [method]: (...values: unknown[]) => log[level](format(...values)) });
  }
}
