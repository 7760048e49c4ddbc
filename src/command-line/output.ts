import { styleText } from 'node:util';
import { cut, lengthOf, printable } from './text.ts';

/** Where the command writes: what it was asked for goes to stdout, what it has to say to stderr. */
export interface Output {
  readonly format: 'text' | 'json';
  /** Whether stdout is a terminal that lines can be drawn over on. */
  readonly isTerminal: boolean;
  /** Characters on a line of the terminal; null where there is none. */
  width(): number | null;
  write(line: string): void;
  /** One JSON document, on one line. */
  writeJson(value: unknown): void;
  /** A table for people: its first row is the headings. */
  writeTable(rows: readonly (readonly string[])[]): void;
  /** What is known of one thing, a fact a line. */
  writeFacts(facts: readonly (readonly [name: string, value: string])[]): void;
  /** Beside the output, so that scripts can read what is on stdout. */
  say(line: string): void;
  /** A text in a colour, where the terminal and the environment (NO_COLOR) have it so. */
  colored(color: Color, text: string): string;
}

export type Color = 'green' | 'red' | 'yellow' | 'cyan' | 'bold' | 'dim';

export function createOutput(format: 'text' | 'json'): Output {
  const { stdout, stderr } = process;
  const isTerminal = stdout.isTTY === true && process.env.TERM !== 'dumb';
  const width = () => (isTerminal ? stdout.columns || 80 : null);
  const write = (line: string) => void stdout.write(`${line}\n`);
  const colored = (color: Color, text: string) => styleText(color, text, { stream: stdout });
  return {
    format,
    isTerminal,
    width,
    write,
    writeJson: (value) => write(JSON.stringify(value)),
    writeTable(rows) {
      const [headings, ...body] = linesOf(rows, width());
      if (headings !== undefined) write(colored('bold', headings));
      for (const line of body) write(line);
    },
    writeFacts(facts) {
      const width = Math.max(...facts.map(([name]) => name.length)) + 2;
      for (const [name, value] of facts) write(colored('bold', name.padEnd(width)) + printable(value));
    },
    say: (line) => void stderr.write(`${line}\n`),
    colored,
  };
}

/** Numbers stand to the right; what is too wide for the terminal is cut. */
function linesOf(rows: readonly (readonly string[])[], width: number | null): string[] {
  const cells = rows.map((row) => row.map(printable));
  const columns = cells[0]?.map((heading, index) => {
    const body = cells.slice(1).map((row) => row[index] ?? '');
    return {
      width: Math.max(lengthOf(heading), ...body.map(lengthOf)),
      isNumeric: body.length > 0 && body.every((cell) => /^[\d,–]*$/.test(cell)),
    };
  });
  return cells.map((row) => {
    const line = row
      .map((cell, index) => {
        const column = columns?.[index];
        const padding = ' '.repeat(Math.max(0, (column?.width ?? 0) - lengthOf(cell)));
        return column?.isNumeric === true ? padding + cell : cell + padding;
      })
      .join('  ')
      .trimEnd();
    return width === null ? line : cut(line, width);
  });
}
