import { createBlade, killCommands } from './command-line.ts';
import { killPrograms, type Program, startProgram } from './program.ts';
import { type ApplicationParts, startTestApplication } from './test-application.ts';
import { createProgramDatabase, createTestDatabase } from './test-database.ts';
import { test as withoutDatabase } from './without-database.ts';

/** Made where a test first asks for it, shared by the tests of the file, and closed after the last of them. */
const ONCE_A_FILE = { scope: 'file' } as const;

/** Lines of a program's log that are shown when its test fails. */
const SHOWN_LINES = 40;

/** Where programs run one after the other, in one process at a time. */
export interface ProgramPlace {
  readonly folder: string;
  /** Undefined for an embedded database. */
  readonly databaseUrl: string | undefined;
  /** With which each of them finds both. */
  readonly settings: Readonly<Record<string, string>>;
}

/** What a test asks for by its name: `test('…', async ({ application }) => …)`. */
export const test = withoutDatabase
  /** Settings of `application`. A file that needs some makes its test of `test.extend('settings', …)`. */
  .extend('settings', ONCE_A_FILE, {} as Record<string, string>)
  /** What `application` uses in place of a folder of tables and a folder for its catalog. */
  .extend('parts', ONCE_A_FILE, {} as ApplicationParts)
  .extend('database', ONCE_A_FILE, async ({}, { onCleanup }) => {
    const database = await createTestDatabase();
    onCleanup(() => database.close());
    return database;
  })
  /** The whole program, on `database`. */
  .extend('application', ONCE_A_FILE, async ({ database, settings, parts }, { onCleanup }) => {
    const application = await startTestApplication(settings, parts, database);
    onCleanup(() => application.close());
    return application;
  })
  .extend('client', ONCE_A_FILE, ({ application }) => application.client)
  /** The command line with some environment. */
  .extend('bladeWith', ONCE_A_FILE, async ({}, { onCleanup }) => {
    onCleanup(killCommands);
    return createBlade;
  })
  /** The command line, at the API of `application`. */
  .extend('blade', ONCE_A_FILE, ({ application, bladeWith }) => bladeWith({ BLADE_URL: application.url }))
  /** A data folder and a database for programs. */
  .extend('place', async ({ folder, open }): Promise<ProgramPlace> => {
    const { url } = await open(createProgramDatabase(folder));
    const database = url === undefined ? {} : { DATABASE_URL: url };
    return { folder, databaseUrl: url, settings: { BLADE_DATA_FOLDER: folder, ...database } };
  })
  /** Starts programs in processes, which are killed when the test ends; the log of each is shown if it failed. */
  .extend('startProgram', async ({ onTestFailed }, { onCleanup }) => {
    const programs: Program[] = [];
    onTestFailed(() => {
      for (const { lines } of programs) process.stdout.write(`${lines.slice(-SHOWN_LINES).join('\n')}\n`);
    });
    onCleanup(killPrograms);
    return async (environment: Record<string, string>): Promise<Program> => {
      const program = await startProgram(environment);
      programs.push(program);
      return program;
    };
  });
