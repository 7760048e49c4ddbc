import { type ParameterValue, WarehouseError } from '../warehouse.ts';

/**
 * Creates the error of a statement that Spark refused, from its message, as one that can be shown: without cells, parameter
 * values, paths and the stack of the server.
 */
export function createStatementError(
  message: string,
  sqlState: string | null,
  parameters: Readonly<Record<string, ParameterValue>>,
): WarehouseError {
  return new WarehouseError(
    isMissingTable(message) ? 'TABLE_NOT_FOUND' : 'STATEMENT_FAILED',
    cleanMessage(message, sqlState, parameters),
  );
}

function isMissingTable(message: string): boolean {
  return /\[(TABLE_OR_VIEW_NOT_FOUND|SCHEMA_NOT_FOUND|CATALOG_NOT_FOUND|NO_SUCH_CATALOG_EXCEPTION)[\].]/.test(
    message,
  );
}

function cleanMessage(
  message: string,
  sqlState: string | null,
  parameters: Readonly<Record<string, ParameterValue>>,
): string {
  // The rest is the server's plan of the statement, or its stack.
  let text = message.split(/\n\s*at [\w.$]+\(|;?\n\s*['+]|\n\s*== SQL|\n\s*JVM stacktrace/)[0] ?? '';
  text = text.replace(/(?:[a-z][\w$]*\.)+[A-Z][\w$]*(?:Exception|Error): /g, '');
  text = text.replace(/^Error running query: (?:(\[[\w.]+\]) (?=\1))?/, '');
  text = text.replace(/\b[a-z][a-z\d]*:\/\/[^\s"',;]+|(?:[\\/][^\s"'\\/,;:]+){2,}[\\/]?/g, '(file)');
  const position = /; line \d+,? pos \d+/.exec(text)?.[0] ?? '';
  text = text.replace(position, '');
  for (const [name, value] of Object.entries(parameters)) text = redactValue(text, name, value);
  if (/^22/.test(sqlState ?? '') || /SQLSTATE: 22/.test(text)) text = redactCells(text);
  return `${text}${position}`.replace(/\s+/g, ' ').trim() || 'The statement failed in the warehouse.';
}

function redactValue(text: string, name: string, value: ParameterValue): string {
  if (value === null || typeof value === 'boolean' || value === '') return text;
  const written = String(value);
  if (written.length > 3) return text.replaceAll(written, `:${name}`);
  // A short value can be a part of any word.
  return text.replace(new RegExp(`(?<!\\w)${RegExp.escape(written)}(?!\\w)`, 'g'), () => `:${name}`);
}

/** Redacts cells, which errors of this class quote. */
function redactCells(text: string): string {
  return text.replace(/'(?:[^'\\]|\\.)*'/g, "'…'").replace(/\bvalue -?\d[\d.eE+-]*/g, 'value …');
}
