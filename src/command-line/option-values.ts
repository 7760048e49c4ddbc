import { type Command, InvalidArgumentError, Option } from 'commander';

/** Values of options, from text. Each throws what commander reports with the name of the option. */

const GREATEST_INT = 2 ** 31 - 1;

/** A whole number as GraphQL's Int holds it; its bounds are the server's to check. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (/^[+-]?\d+$/.test(text) && Math.abs(value) <= GREATEST_INT) return value;
  throw new InvalidArgumentError(`It must be a whole number of at most ${GREATEST_INT}.`);
}

/** How many entries of a list, or how many seconds. */
export function positiveNumber(text: string): number {
  const value = wholeNumber(text);
  if (value >= 1) return value;
  throw new InvalidArgumentError('It must be at least 1.');
}

/** A moment with its time zone, or a date in UTC. */
export function time(text: string): string {
  const value = new Date(text);
  const isWhole = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(text);
  if (isWhole && !Number.isNaN(value.getTime())) return value.toISOString();
  throw new InvalidArgumentError('It must be a time such as 2026-11-24 or 2026-11-24T05:30:00Z.');
}

/** Gathers an option that is given once or more. */
export function texts(text: string, before: string[] = []): string[] {
  return [...before, text];
}

/** Gathers an option that is given once or more and means one of these each time, in either case. */
export function oneOf<Name extends string>(known: Readonly<Record<Name, unknown>>) {
  const names = Object.keys(known) as Name[];
  return (text: string, before: Name[] = []): Name[] => {
    const name = names.find((name) => name === text.toUpperCase());
    if (name === undefined) throw new InvalidArgumentError(`It must be one of ${names.join(', ')}.`);
    return [...before, name];
  };
}

/**
 * Gathers `name=value`. A value that is JSON is what it says, and any other is a string: `2` is a number, `"2"` and `007`
 * are strings.
 */
export function namedValues(
  text: string,
  before: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  const separator = text.indexOf('=');
  if (separator < 1) throw new InvalidArgumentError('It must be name=value.');
  const name = text.slice(0, separator);
  if (Object.hasOwn(before, name)) throw new InvalidArgumentError(`${name} is given twice.`);
  // A name such as __proto__ is a name like any other.
  return Object.fromEntries([...Object.entries(before), [name, jsonOrText(text.slice(separator + 1))]]);
}

function jsonOrText(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return text;
  }
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError(
      `${text} is too great for a number; as a string it is "${text}", quotes included.`,
    );
  }
  return value;
}

/** The options of a list that is paged. */
export interface PageOptions {
  readonly limit: number;
  readonly after?: string;
}

export function addPageOptions(command: Command, of: string): Command {
  return command
    .option('--limit <n>', `most ${of} to give`, positiveNumber, 20)
    .option('--after <cursor>', 'go on after this place, as an earlier list told it');
}

/** The options of a command that can watch a job. */
export interface WatchOptions {
  readonly watch?: true;
  readonly giveUpAfter: number;
}

export function addWatchOptions(command: Command): Command {
  return command
    .option('-w, --watch', 'watch the job to its end')
    .addOption(
      new Option('--give-up-after <seconds>', 'how long to wait for a server that is away')
        .argParser(positiveNumber)
        .default(300),
    );
}

/** How a job is run. */
export interface RunOptions {
  readonly batchSize?: number;
  readonly maxErrors?: number;
  readonly maxAttempts?: number;
  readonly partitionRows?: number;
}

export function addRunOptions(command: Command): Command {
  return command
    .option('--batch-size <n>', 'rows that are saved and uploaded together', wholeNumber)
    .option('--max-errors <n>', 'give a source up when more of its items fail', wholeNumber)
    .option('--max-attempts <n>', 'how often a part is taken up before it is given up', wholeNumber)
    .option('--partition-rows <n>', 'split sources with more rows than this', wholeNumber);
}

export function jobOptionsOf({ batchSize, maxErrors, maxAttempts, partitionRows }: RunOptions) {
  return {
    batchSize: batchSize ?? null,
    maxErrors: maxErrors ?? null,
    maxAttempts: maxAttempts ?? null,
    partitionRows: partitionRows ?? null,
  };
}
