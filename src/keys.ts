// npm run keys, and the command `blade-ingestion keys`: creates, lists and revokes API keys in the configured database.
import { userInfo } from 'node:os';
import { Command } from 'commander';
import { validate as isUuid } from 'uuid';
import { ZodError } from 'zod';
import { ApiKeyNotFoundError } from './access/access-errors.ts';
import { createApiKey, listApiKeys, newApiKeySchema, revokeApiKey } from './access/api-keys.ts';
import { commandLinePrincipal, type Principal } from './access/principal.ts';
import { openConfiguredDatabase } from './application/data-folder.ts';
import { ConfigError } from './config/load.ts';
import { loadProgram } from './config/load-program.ts';
import { FolderLockedError } from './database/embedded/folder-lock.ts';
import type { ApiKey, PrismaClient } from './database/generated/prisma/client.ts';
import { createPrismaClient } from './database/prisma-client.ts';
import { UnsuitableDatabaseError } from './database/server-check.ts';
import { PluginError } from './plugins/plugin.ts';
import { FolderError } from './shared/folder-error.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

const program = new Command('blade-ingestion keys')
  .description('Creates, lists and revokes API keys in the database that the environment configures.')
  .showHelpAfterError();

program
  .command('create')
  .description('Creates a key and prints it, this once.')
  .requiredOption('--name <name>', 'what the key is for')
  .requiredOption('--role <role>', 'viewer, operator or admin')
  .requiredOption('--clearance <marking>', 'highest marking that a program with the key may see')
  .option('--expires-in-days <days>', 'days after which it expires (default: never)')
  .action(async ({ expiresInDays, ...options }: Record<string, string | undefined>) => {
    const expiresAt =
      expiresInDays === undefined ? null : new Date(Date.now() + Number(expiresInDays) * DAY_MS);
    const input = newApiKeySchema.parse({ ...options, expiresAt });
    await inDatabase(async (prisma, principal) => {
      const { key, apiKey } = await createApiKey(prisma, principal, input);
      printNote(`Created the key ${apiKey.id}. It is shown only once:`);
      process.stdout.write(`${key}\n`);
    });
  });

program
  .command('list')
  .description('Lists all keys, newest first.')
  .action(() =>
    inDatabase(async (prisma) => {
      const rows = (await listApiKeys(prisma)).map(toRow);
      const widths = HEADINGS.map((heading, column) =>
        Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)),
      );
      for (const row of [HEADINGS, ...rows]) {
        const cells = row.map((cell, column) => cell.padEnd(widths[column] ?? 0));
        process.stdout.write(`${cells.join('  ').trimEnd()}\n`);
      }
    }),
  );

program
  .command('revoke')
  .description('Revokes a key for good, in every process at once.')
  .argument('<id>', 'the id of the key, as listed')
  .action(async (id: string) => {
    if (!isUuid(id)) throw new ApiKeyNotFoundError(id);
    await inDatabase(async (prisma, principal) => {
      const { name } = await revokeApiKey(prisma, principal, id);
      printNote(`Revoked the key ${id} (${name}).`);
    });
  });

async function inDatabase(run: (prisma: PrismaClient, principal: Principal) => Promise<void>): Promise<void> {
  const database = await openConfiguredDatabase(await loadProgram(process.env));
  try {
    const prisma = createPrismaClient(database.connectionString, { maxConnections: 1 });
    await run(prisma, commandLinePrincipal(userInfo().username)).finally(() => prisma.$disconnect());
  } finally {
    await database.close();
  }
}

const HEADINGS = ['ID', 'KEY', 'ROLE', 'CLEARANCE', 'CREATED', 'EXPIRES', 'LAST USED', 'REVOKED', 'NAME'];

function toRow(apiKey: ApiKey): string[] {
  const { id, prefix, role, clearance, createdAt, expiresAt, lastUsedAt, revokedAt, name } = apiKey;
  const times = [createdAt, expiresAt, lastUsedAt, revokedAt].map((time) => time?.toISOString() ?? 'never');
  return [id, `${prefix}…`, role, clearance, ...times, name];
}

/** Prints to standard error, so that a script finds nothing but the key on standard output. */
function printNote(text: string): void {
  process.stderr.write(`${text}\n`);
}

function describeProblem(error: unknown): string {
  if (error instanceof ZodError) {
    const lines = error.issues.map(({ path: [field], message }) => {
      const option = field === 'expiresAt' ? 'expires-in-days' : String(field);
      return `--${option} ${message}`;
    });
    return lines.join('\n');
  }
  if (error instanceof FolderLockedError) {
    return `${error.message}\nWhile the server runs on the embedded database, admins create and revoke keys with the mutations createApiKey and revokeApiKey.`;
  }
  const clearErrors = [ConfigError, FolderError, PluginError, UnsuitableDatabaseError, ApiKeyNotFoundError];
  if (error instanceof Error && clearErrors.some((kind) => error instanceof kind)) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

await program.parseAsync().catch((error: unknown) => {
  printNote(describeProblem(error));
  process.exitCode = 1;
});
