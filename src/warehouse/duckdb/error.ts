import { AbortError } from '../abort.ts';
import { type ParameterValue, WarehouseError } from '../warehouse.ts';
import { fileProblem } from './file-error.ts';

export type StatementParameters = Readonly<Record<string, ParameterValue>>;

/** Runs something of the warehouse and turns its errors into those that people may read. */
export async function reported<Result>(
  parameters: StatementParameters,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AbortError) throw error;
    throw failedStatement(error, parameters);
  }
}

/** What DuckDB said of a failed statement, as people may read it: without paths, cells and parameter values. */
function failedStatement(error: unknown, parameters: StatementParameters): WarehouseError {
  if (error instanceof WarehouseError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new WarehouseError('STATEMENT_FAILED', readableMessage(message, parameters));
}

function readableMessage(message: string, parameters: StatementParameters): string {
  const problem = fileProblem(message);
  if (problem !== null) return problem;
  // What follows shows the translated statement, which is not the one that was written.
  let text = message.split(/\n\s*(?:LINE \d+:|Candidate functions:|Possible (?:fixes|solutions):)/)[0] ?? '';
  text = text.replace(/(?:\b[A-Za-z]:)?(?:[\\/][^\s"'\\/,;:]+){2,}[\\/]?/g, '(file)');
  for (const [name, value] of Object.entries(parameters))
    if (typeof value === 'string' && value.length > 0) text = text.replaceAll(value, `:${name}`);
  if (/^(?:Conversion|Invalid Input|Out of Range|Constraint|Mismatch Type|Serialization) Error/i.test(text))
    text = withoutValues(text);
  return text.replace(/\s+/g, ' ').trim();
}

/** Errors of these kinds come from what a cell holds, and quote it. */
function withoutValues(text: string): string {
  return text
    .replace(/"(?:[^"\\]|\\.)*"/g, '"…"')
    .replace(/'(?:[^'\\]|\\.)*'/g, "'…'")
    .replace(/\bvalue -?\d[\d.e+-]*/gi, 'value …')
    .replace(/Original Line:.*/gis, '');
}
