import { type Command, InvalidArgumentError, Option } from 'commander';

/** Values of options, from text. Each throws what commander reports with the name of the option. */

const LARGEST_INT = 2 ** 31 - 1;

/** A whole number that fits GraphQL's Int; the server checks its bounds. */
export function parseWholeNumber(text: string): number {
  const value = Number(text);
  if (/^[+-]?\d+$/.test(text) && Math.abs(value) <= LARGEST_INT) return value;
  throw new InvalidArgumentError(`It must be a whole number up to ${LARGEST_INT}.`);
}

/** A number of entries or of seconds. */
export function parsePositiveNumber(text: string): number {
  const value = parseWholeNumber(text);
  if (value >= 1) return value;
  throw new InvalidArgumentError('It must be at least 1.');
}

/** A moment with its time zone, or a date in UTC. */
export function parseTime(text: string): string {
  const value = new Date(text);
  const isWhole = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(text);
  if (isWhole && !Number.isNaN(value.getTime())) return value.toISOString();
  throw new InvalidArgumentError('It must be a time such as 2026-11-24 or 2026-11-24T05:30:00Z.');
}

/** Collects an option that may be repeated. */
export function collectText(text: string, before: string[] = []): string[] {
  return [...before, text];
}

/** Lists the values of an enum; its type makes sure that none is missing. */
export function listNames<Name extends string>(names: Readonly<Record<Name, true>>): Name[] {
  return Object.keys(names) as Name[];
}

/** Collects a repeatable option with one of these values, in upper or lower case. */
export function collectChoice<Name extends string>(names: readonly Name[]) {
  return (text: string, before: Name[] = []): Name[] => {
    const name = names.find((name) => name === text.toUpperCase());
    if (name === undefined) throw new InvalidArgumentError(`It must be one of ${names.join(', ')}.`);
    return [...before, name];
  };
}

/**
 * Collects a repeatable `name=value`. A value that is JSON is parsed, any other is a string: `2` is a number, `"2"` and
 * `007` are strings.
 */
export function collectNamedValue(
  text: string,
  before: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  const separator = text.indexOf('=');
  if (separator < 1) throw new InvalidArgumentError('It must be name=value.');
  const name = text.slice(0, separator);
  if (Object.hasOwn(before, name)) throw new InvalidArgumentError(`${name} is given twice.`);
  // A name such as __proto__ is a name like any other.
  return Object.fromEntries([...Object.entries(before), [name, parseJsonOrText(text.slice(separator + 1))]]);
}

/** Collects a repeatable `key=value` of a label. */
export function collectLabel(text: string, before: Label[] = []): Label[] {
  const separator = text.indexOf('=');
  if (separator < 1) throw new InvalidArgumentError('It must be key=value.');
  return [...before, { key: text.slice(0, separator), value: text.slice(separator + 1) }];
}

/** Collects a repeatable `key=value` of a label, or only its key. */
export function collectLabelFilter(text: string, before: LabelFilter[] = []): LabelFilter[] {
  const added = text.includes('=') ? collectLabel(text) : [{ key: text, value: null }];
  return [...before, ...added];
}

interface LabelFilter {
  readonly key: string;
  readonly value: string | null;
}

interface Label {
  readonly key: string;
  readonly value: string;
}

function parseJsonOrText(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return text;
  }
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError(`${text} is too large for a number; write it as a string, '"${text}"'.`);
  }
  return value;
}

/** The options of a command that lists something. */
export interface PageOptions {
  readonly limit: number;
  readonly after?: string;
}

export function addPageOptions(command: Command, entries: string): Command {
  return command
    .option('--limit <n>', `most ${entries} to list`, parsePositiveNumber, 20)
    .option('--after <cursor>', 'continue an earlier list at this cursor');
}

/** The options of a command that can watch a job. */
export interface WatchOptions {
  readonly watch?: true;
  readonly failOnErrors?: true;
  /** How long to retry a server that is away, in seconds. */
  readonly giveUpAfter: number;
}

export function addWatchOptions(command: Command): Command {
  return command
    .option('-w, --watch', 'watch the job until it ends')
    .addOption(
      new Option('--fail-on-errors', 'watch the job, and exit with 9 if some of its items failed').implies({
        watch: true,
      }),
    )
    .option('--give-up-after <seconds>', 'how long to retry a server that is away', parsePositiveNumber, 300);
}

/** How to find a job again. */
export interface StartOptions {
  readonly label?: Label[];
  readonly idempotencyKey?: string;
}

export function addStartOptions(command: Command): Command {
  return command
    .option('--label <key=value>', 'label of the job; repeatable', collectLabel)
    .option('--idempotency-key <key>', 'start nothing if the same was started with this key within 24 hours');
}

export function toStartInput({ label, idempotencyKey }: StartOptions) {
  return { labels: label ?? null, idempotencyKey: idempotencyKey ?? null };
}

/** How a job runs. */
export interface RunOptions extends StartOptions {
  readonly batchSize?: number;
  readonly maxErrors?: number;
  readonly maxAttempts?: number;
  readonly partitionRows?: number;
}

export function addRunOptions(command: Command): Command {
  const withOptions = command
    .option('--batch-size <n>', 'rows to save and upload together', parseWholeNumber)
    .option(
      '--max-errors <n>',
      'stop a source when more of its items fail (default: never)',
      parseWholeNumber,
    )
    .option('--max-attempts <n>', 'attempts at a partition before it fails', parseWholeNumber)
    .option('--partition-rows <n>', 'split sources with more rows than this', parseWholeNumber);
  return addStartOptions(withOptions);
}

/** Returns the input of a start that each kind of job has. */
export function toRunInput(options: RunOptions) {
  const { batchSize, maxErrors, maxAttempts, partitionRows } = options;
  return {
    options: {
      batchSize: batchSize ?? null,
      maxErrors: maxErrors ?? null,
      maxAttempts: maxAttempts ?? null,
      partitionRows: partitionRows ?? null,
    },
    ...toStartInput(options),
  };
}
