/** Describes an error that no part expects, for people who cannot read the log. */
export function describeUnexpected(error: unknown): string {
  if (!(error instanceof Error)) return 'an error of the program ended it.';
  const code = findCode(error);
  // Prisma's messages quote the program.
  if (error.name.startsWith('Prisma'))
    return `the database does not answer as expected (${code ?? error.name}).`;
  if (code !== null && SQL_STATE.test(code)) return `the database refused it: ${error.message} (${code}).`;
  const kind = error.name === 'Error' ? '' : `${error.name}: `;
  return `an error of the program ended it: ${kind}${error.message}`;
}

/** Whether an error would happen again in each attempt: one in the code, or a value that the database cannot hold. */
export function isIncurable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = findCode(error);
  if (PROGRAM_ERRORS.has(error.name)) return error.cause === undefined && code === null;
  return code !== null && INCURABLE_STATE.test(code);
}

const PROGRAM_ERRORS: ReadonlySet<string> = new Set([
  'TypeError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
]);

/** The codes of PostgreSQL, each with a digit, unlike EPIPE. Class 22 is about data, and 54 about limits. */
const SQL_STATE = /^(?=.*\d)[0-9A-Z]{5}$/;
const INCURABLE_STATE = /^(22|54)[0-9A-Z]{3}$/;

function findCode(error: Error): string | null {
  return 'code' in error && typeof error.code === 'string' ? error.code : null;
}
