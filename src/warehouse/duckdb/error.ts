import { AbortError } from '../abort.ts';
import { type ParameterValue, WarehouseError } from '../warehouse.ts';
import { fileProblem } from './file-error.ts';

export type StatementParameters = Readonly<Record<string, ParameterValue>>;

/** A file as the engine names it and as people know it. */
export interface NamedFile {
  readonly path: string;
  /** Its path within the folder of the warehouse. */
  readonly label: string;
  /** The files in it, if it is a folder. */
  readonly files?: readonly NamedFile[];
}

/** What the engine's messages may repeat. */
export interface MessageContext {
  readonly parameters: StatementParameters;
  readonly files: readonly NamedFile[];
}

/** Runs something of the warehouse and turns its errors into those that people may read. */
export async function reported<Result>(
  context: MessageContext,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AbortError) throw error;
    throw failedStatement(error, context);
  }
}

/** What DuckDB said of a failed statement, as people may read it: without other paths, cells and parameter values. */
function failedStatement(error: unknown, context: MessageContext): WarehouseError {
  if (error instanceof WarehouseError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (isTemporaryDiskFull(message)) {
    return new WarehouseError('STATEMENT_FAILED', "The disk of the warehouse's temporary files is full.", {
      cause: Object.assign(new Error(message), { code: 'ENOSPC' }),
    });
  }
  return new WarehouseError('STATEMENT_FAILED', readableMessage(message, context), { cause: error });
}

/** Whether the error is a bug of the engine, which may refuse every later statement. */
export function isEngineFault(error: unknown): boolean {
  return error instanceof WarehouseError && error.cause instanceof Error && FAULT.test(error.cause.message);
}

const FAULT = /^(?:INTERNAL|FATAL) Error: /;

/** What exceeds the engine's own limit has been named before. */
function isTemporaryDiskFull(message: string): boolean {
  return (
    /^Out of Memory Error: failed to offload /.test(message) ||
    /^IO Error: Could not write file .*: (?:No space left on device|Disk quota exceeded)/.test(message)
  );
}

/** The patterns below take long, or exhaust the stack, on the megabytes of a cell. */
const MAX_MESSAGE_CHARACTERS = 4_000;

/** Empties what a long message quotes, from its first quotation mark to the last, and cuts what is still too long. */
function shortenMessage(message: string): string {
  if (message.length <= MAX_MESSAGE_CHARACTERS) return message;
  const start = message.search(/["']/);
  const quote = message.charAt(start);
  const end = message.lastIndexOf(quote);
  const short = start < end ? `${message.slice(0, start)}${quote}…${message.slice(end)}` : message;
  return short.length <= MAX_MESSAGE_CHARACTERS ? short : `${short.slice(0, MAX_MESSAGE_CHARACTERS)}…`;
}

function readableMessage(message: string, { parameters, files: read }: MessageContext): string {
  const problem = fileProblem(message);
  if (problem !== null) return nameFile(problem, message, read.flatMap(listParts));
  const files = read.flatMap((file) => findMentioned(file, message));
  // What follows shows the translated statement, which is not the one that was written.
  let text =
    shortenMessage(message).split(
      /\n\s*(?:LINE \d+:|Candidate functions:|Possible (?:fixes|solutions):|Stack Trace:)/,
    )[0] ?? '';
  files.forEach(({ path }, index) => {
    for (const quote of ['"', "'", '']) text = text.replaceAll(`${quote}${path}${quote}`, fileMark(index));
  });
  text = text.replace(/(?:\b[A-Za-z]:)?(?:[\\/][^\s"'\\/,;:]+){2,}[\\/]?/g, '(file)');
  for (const [name, value] of Object.entries(parameters))
    if (typeof value === 'string' && value.length > 0) text = text.replaceAll(value, `:${name}`);
  if (/^(?:Conversion|Invalid Input|Out of Range|Constraint|Mismatch Type|Serialization) Error/i.test(text))
    text = withoutValues(text);
  text = text.replace(/\s+/g, ' ').trim();
  if (/^(?:Invalid|IO|Serialization|INTERNAL|FATAL) Error/.test(text) && !text.includes(FILE_MARK))
    text += files.length === 0 ? '' : ` (in ${files.map((_file, index) => fileMark(index)).join(' or ')})`;
  text = text.replace(FAULT, 'The engine failed at the statement, for which there is no better reason: ');
  return files.reduce((marked, { label }, index) => marked.replaceAll(fileMark(index), label), text);
}

/** The most files that a message names. */
const MAX_FILES = 10;

/** Adds the file in which the problem is, to a message about "the file" of a statement that reads several. */
function nameFile(problem: string, message: string, files: readonly NamedFile[]): string {
  if (files.length < 2) return problem;
  const found = files.filter(({ path }) => message.includes(path));
  const labels = (found.length === 0 ? files : found).slice(0, MAX_FILES).map(({ label }) => label);
  return `${problem} (in ${labels.join(' or ')})`;
}

function listParts(file: NamedFile): readonly NamedFile[] {
  return file.files ?? [file];
}

/** Finds which files of a folder a message names; the folder if it names none. */
function findMentioned(file: NamedFile, message: string): readonly NamedFile[] {
  const mentioned = listParts(file).filter(({ path }) => message.includes(path));
  return mentioned.length === 0 ? [file] : mentioned;
}

const FILE_MARK = '\u0001';

/** Stands for a file's name while everything else that is quoted is taken out. */
function fileMark(index: number): string {
  return `${FILE_MARK}${index}${FILE_MARK}`;
}

/** Errors of these kinds come from what a cell holds, and quote it. */
function withoutValues(text: string): string {
  return text
    .replace(/"(?:[^"\\]|\\.)*"/g, '"…"')
    .replace(/'(?:[^'\\]|\\.)*'/g, "'…'")
    .replace(/\bvalue -?\d[\d.e+-]*/gi, 'value …')
    .replace(/Original Line:.*/gis, '');
}
