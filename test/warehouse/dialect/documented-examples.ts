import { KNOWN_FUNCTIONS } from '../../../src/sql-check/known-functions.ts';

/** Runs a statement on Spark itself and returns the values of its first column. */
export type AskSpark = (sql: string) => Promise<readonly unknown[]>;

/** Reads the worked examples in Spark's own documentation of every function that the check allows. */
export async function readDocumentedExamples(ask: AskSpark): Promise<readonly string[]> {
  const examples = new Set<string>();
  for (const name of [...KNOWN_FUNCTIONS].sort()) {
    const lines = await ask(`DESCRIBE FUNCTION EXTENDED \`${name}\``);
    for (const example of splitExamples(lines.map(String).join('\n'))) examples.add(example);
  }
  return [...examples];
}

/** Each example starts with `>` and ends with a semicolon at the end of a line. */
function splitExamples(text: string): string[] {
  return [...text.matchAll(/^\s*> ((?:SELECT|WITH|FROM)\b[\s\S]*?);\s*$/gim)].map(([, sql = '']) =>
    sql.replace(/\s*\n\s*/g, ' ').trim(),
  );
}
