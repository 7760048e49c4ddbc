/** What a parameter of the URL may be; null for anything. */
type Allowed = readonly string[] | RegExp | null;

/** The parameters that the driver or the program obeys. */
const OBEYED: Readonly<Record<string, Allowed>> = {
  host: null,
  port: /^\d+$/,
  user: null,
  password: null,
  application_name: null,
  fallback_application_name: null,
  /** Seconds. */
  connect_timeout: /^\d{1,6}$/,
  options: null,
  ssl: ['true', '1', '0', 'no-verify'],
  sslmode: ['disable', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'],
  sslcert: null,
  sslkey: null,
  sslrootcert: null,
  sslnegotiation: ['postgres', 'direct'],
  uselibpqcompat: ['true'],
  // All that there is of these, so that they need nothing.
  schema: ['public'],
  pgbouncer: ['false'],
  target_session_attrs: ['any'],
  channel_binding: ['disable', 'prefer'],
  gssencmode: ['disable', 'prefer'],
};

/** What to do instead of a parameter that others obey, or of a value. */
const ADVICE: Readonly<Record<string, string>> = {
  schema: 'the tables are in the schema public: use a separate database instead of a schema',
  pgbouncer:
    'notifications need a dedicated session: connect to the server, or to a pooler in session mode, and remove it',
  channel_binding: 'the driver cannot insist on it: remove it, and use sslmode=verify-full',
  target_session_attrs: 'name the primary server alone, and remove it',
  connection_limit: 'the number of connections follows BLADE_WORKER_THREADS: remove it',
  pool_timeout: 'a statement waits for a connection as long as it takes: remove it',
  socket_timeout: 'a statement may take as long as it needs: remove it',
  statement_cache_size: 'the program prepares what it repeats: remove it',
  sslaccept: 'use sslmode=no-verify or sslmode=verify-full',
  sslidentity: 'use sslcert and sslkey',
  sslpassword: 'use sslkey with a key that has no password',
  client_encoding: 'the program always speaks UTF8: remove it',
};

const SET_BY_PROGRAM = 'each session sets it for itself: remove it';

/**
 * Finds what in the URL of a server would not be obeyed.
 * @param sessionSettings the settings that each session sets for itself, whatever the URL says.
 * @returns a sentence about each such parameter, with what would work.
 */
export function findUrlProblems(text: string, sessionSettings: readonly string[]): readonly string[] {
  const url = URL.parse(text);
  if (url === null) return [];
  const isOurs = (name: string) =>
    sessionSettings.some((setting) => setting.toLowerCase() === name.toLowerCase());
  return [...url.searchParams].flatMap(([name, value]) => {
    if (name === 'options') {
      const ours = listOptions(value).filter(isOurs);
      return ours.map((setting) => `options sets ${setting}, but ${SET_BY_PROGRAM}`);
    }
    if (isOurs(name)) return [`${name} has no effect: ${SET_BY_PROGRAM}`];
    const allowed = Object.hasOwn(OBEYED, name) ? OBEYED[name] : undefined;
    const advice = Object.hasOwn(ADVICE, name) ? ADVICE[name] : undefined;
    if (allowed === undefined)
      return [`${name} has no effect: ${advice ?? `remove it, or use ${listObeyed()}`}`];
    if (allowed === null || isAllowed(allowed, value)) return [];
    return [
      `${name} cannot have this value: ${advice ?? (Array.isArray(allowed) ? `use ${allowed.join(', ')}` : 'use a whole number')}`,
    ];
  });
}

function isAllowed(allowed: readonly string[] | RegExp, value: string): boolean {
  return allowed instanceof RegExp ? allowed.test(value) : allowed.includes(value);
}

/** Lists the parameters to name in a message. */
function listObeyed(): string {
  return Object.keys(OBEYED)
    .filter((name) => !Object.hasOwn(ADVICE, name))
    .join(', ');
}

/** Lists the settings in a text such as `-c geqo=off --jit=off`. */
function listOptions(text: string): string[] {
  return [...text.matchAll(/(?:^|\s)(?:-c\s*|--)([\w.-]+)\s*=/g)].map(([, name = '']) =>
    name.replaceAll('-', '_'),
  );
}

/** Returns how long connecting may take by the URL, in milliseconds; null if it does not say. */
export function readConnectTimeout(text: string): number | null {
  const seconds = Number(URL.parse(text)?.searchParams.get('connect_timeout') ?? 0);
  return seconds > 0 ? seconds * 1_000 : null;
}
