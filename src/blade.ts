import type { Application } from './application/start-application.ts';

/** How to create a program. */
export interface BladeOptions {
  /**
   * Its settings by the names in docs/configuration.md, such as `{ PORT: '0' }`. Default: `process.env`. Names that are
   * neither settings nor variables of `process.env` are refused.
   */
  readonly config?: Readonly<Record<string, string | undefined>>;
  /**
   * Modules that add data types, warehouses and catalogs, beside those that `BLADE_PLUGINS` names: URLs of files, as from
   * `import.meta.resolve('./fuel.ts')`, or paths and names of packages, which are resolved from the working directory. They
   * are modules rather than values because each worker thread imports them.
   */
  readonly plugins?: readonly (string | URL)[];
  /** Whether to listen at `HOST` and `PORT`. Default: true. `fetch` works either way. */
  readonly listen?: boolean;
  /** Receives log lines, each a JSON object. Default: standard output. */
  readonly log?: { write(line: string): void };
}

/** A program that has started. */
export interface StartedBlade {
  /** Where GraphQL is served, such as `http://127.0.0.1:4000/graphql`; null if it does not listen. */
  readonly url: string | null;
  /** Resolves with the reason if the database is lost for good, after which only `stop` works; otherwise never. */
  readonly databaseLost: Promise<Error>;
}

/** The whole program, in this process. Several can run in one process, each with its own settings, plug-ins and database. */
export interface Blade {
  /**
   * Opens the database, and starts serving and running jobs, as `BLADE_ROLES` says. Signals are left to the caller.
   * @throws PluginError, ConfigError, FolderError or UnsuitableDatabaseError, whose messages say what is wrong and what would
   * work; otherwise when the database cannot be opened or the address is taken. Nothing stays open then.
   */
  start(): Promise<StartedBlade>;
  /**
   * Answers a request for GraphQL at `/graphql`, the dashboard or the health, with the checks and limits of one over a
   * socket. Its `Host` must be this machine's, or be in `BLADE_ALLOWED_ORIGINS`. Subscriptions work as server-sent events.
   * @param client.address the client's address. Refused credentials are counted per address.
   * @throws while it is not started, and without the role `api`.
   */
  fetch(request: Request, client?: { readonly address?: string }): Promise<Response>;
  /** Stops in order: running jobs back to their checkpoints, then the API and the database. It can be started again. */
  stop(): Promise<void>;
}

/** Creates the program. Nothing is loaded or checked before it starts. */
export function createBlade(options: BladeOptions = {}): Blade {
  let starting: Promise<Application> | undefined;
  return {
    async start() {
      starting ??= start(options).catch((error: unknown) => {
        starting = undefined;
        throw error;
      });
      const { url, databaseLost } = await starting;
      return { url, databaseLost };
    },
    async fetch(request, client) {
      if (starting === undefined) throw new Error('The program is not started: call start() first.');
      const { fetch } = await starting;
      if (fetch === null) throw new Error('The program has no API: BLADE_ROLES must contain api.');
      return fetch(request, client?.address);
    },
    async stop() {
      const started = await starting?.catch(() => undefined);
      starting = undefined;
      await started?.stop();
    },
  };
}

async function start({ config, plugins, listen, log }: BladeOptions): Promise<Application> {
  // Plug-ins import this module in every worker thread, where the program itself has no place.
  const [{ createLog }, { startApplication }, { loadProgram }, { checkNames }] = await Promise.all([
    import('./application/log.ts'),
    import('./application/start-application.ts'),
    import('./config/load-program.ts'),
    import('./config/config.ts'),
  ]);
  const loaded = await loadProgram(config ?? process.env, plugins);
  if (config !== undefined) checkNames(config, loaded.registry);
  return startApplication(loaded, createLog(loaded, log), { listens: listen ?? true });
}
