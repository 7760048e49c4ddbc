import { styleText } from 'node:util';
import { countCharacters, toPrintable, truncate } from './text.ts';

/** Where the command writes: results to stdout, notes and errors to stderr. */
export interface Output {
  readonly format: 'text' | 'json';
  /** Whether stdout is a terminal on which lines can be drawn over. */
  readonly isTerminal: boolean;
  /** Characters on a line of the terminal; null without one. */
  width(): number | null;
  write(line: string): void;
  /** Writes one JSON document on one line. */
  writeJson(value: unknown): void;
  /** Writes a result: the value with `--json`, and otherwise what `writeText` writes. */
  writeResult(value: unknown, writeText: () => void): void;
  /** Writes a table whose first row is its headings. */
  writeTable(rows: readonly (readonly string[])[]): void;
  /** Writes what is known about one thing, a fact per line. */
  writeFacts(facts: readonly (readonly [name: string, value: string])[]): void;
  /** Writes a note to stderr, so that scripts read only results on stdout. */
  say(line: string): void;
  /** Colours a text, if the terminal and the environment (NO_COLOR) allow it. */
  colored(color: Color, text: string): string;
}

export type Color = 'green' | 'red' | 'yellow' | 'cyan' | 'bold' | 'dim';

export function createOutput(format: 'text' | 'json'): Output {
  const { stdout, stderr } = process;
  const isTerminal = stdout.isTTY === true && process.env.TERM !== 'dumb';
  const width = () => (isTerminal ? stdout.columns || 80 : null);
  const write = (line: string) => void stdout.write(`${line}\n`);
  const writeJson = (value: unknown) => write(JSON.stringify(value));
  const colored = (color: Color, text: string) => styleText(color, text, { stream: stdout });
  return {
    format,
    isTerminal,
    width,
    write,
    writeJson,
    writeResult(value, writeText) {
      if (format === 'json') writeJson(value);
      else writeText();
    },
    writeTable(rows) {
      const [headings, ...body] = formatTable(rows, width());
      if (headings !== undefined) write(colored('bold', headings));
      for (const line of body) write(line);
    },
    writeFacts(facts) {
      const width = Math.max(...facts.map(([name]) => name.length)) + 2;
      for (const [name, value] of facts) write(colored('bold', name.padEnd(width)) + toPrintable(value));
    },
    say: (line) => void stderr.write(`${line}\n`),
    colored,
  };
}

/** Aligns columns, numbers to the right, and truncates the lines to the width of the terminal. */
function formatTable(rows: readonly (readonly string[])[], width: number | null): string[] {
  const cells = rows.map((row) => row.map(toPrintable));
  const columns = cells[0]?.map((heading, index) => {
    const body = cells.slice(1).map((row) => row[index] ?? '');
    return {
      width: Math.max(countCharacters(heading), ...body.map(countCharacters)),
      isNumeric: body.length > 0 && body.every((cell) => /^[\d,–]*$/.test(cell)),
    };
  });
  return cells.map((row) => {
    const line = row
      .map((cell, index) => {
        const column = columns?.[index];
        const padding = ' '.repeat(Math.max(0, (column?.width ?? 0) - countCharacters(cell)));
        return column?.isNumeric === true ? padding + cell : cell + padding;
      })
      .join('  ')
      .trimEnd();
    return width === null ? line : truncate(line, width);
  });
}
