import type { Token } from './syntax-tree.ts';

/** Where parentheses are missing: the indices of the words before or after which they belong. */
export interface MissingParentheses {
  readonly opened: ReadonlySet<number>;
  readonly closed: ReadonlySet<number>;
}

/**
 * Finds queries that end in a sub-query before a set operator, as in `SELECT … WHERE a = (SELECT …) UNION …`. Unless the
 * whole query is in parentheses, the parser takes only the sub-query for the first operand.
 */
export function findMissingParentheses(tokens: readonly Token[]): MissingParentheses {
  const opened = new Set<number>();
  const closed = new Set<number>();
  const open: number[] = [];
  const selects: (number | undefined)[] = [undefined];
  tokens.forEach(({ kind }, index) => {
    if (kind === 'SELECT') selects[open.length] = index;
    if (kind === 'L_PAREN') {
      open.push(index);
      selects[open.length] = undefined;
    }
    if (kind !== 'R_PAREN') return;
    const start = open.pop();
    const select = selects[open.length];
    if (start === undefined || select === undefined || !SET_OPERATORS.has(tokens[index + 1]?.kind)) return;
    if (PARSED_ALONE.has(tokens[start - 1]?.kind) || !isQuery(tokens, start)) return;
    opened.add(select);
    closed.add(index);
  });
  return { opened, closed };
}

const SET_OPERATORS: ReadonlySet<string | undefined> = new Set(['UNION', 'EXCEPT', 'INTERSECT']);

/** Words before a sub-query after which the parser stops, or before a whole query. */
const PARSED_ALONE: ReadonlySet<string | undefined> = new Set([
  ...['IN', 'EXISTS', 'LATERAL', 'UNION', 'ALL', 'DISTINCT', 'EXCEPT', 'INTERSECT'],
]);

function isQuery(tokens: readonly Token[], open: number): boolean {
  let first = open;
  while (tokens[first]?.kind === 'L_PAREN') first += 1;
  return tokens[first]?.kind === 'SELECT' || tokens[first]?.kind === 'WITH';
}
