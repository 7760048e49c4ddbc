import type { SyntaxNode } from '../../../sql-check/syntax-tree.ts';
import { refuseOnFolder } from './refused.ts';
import type { KnownType } from './types.ts';
import type { ExpressionWriter, Written, WrittenWindow } from './written.ts';

/** A call with everything around it. */
export interface Call {
  readonly writer: ExpressionWriter;
  /** In lower case. */
  readonly name: string;
  readonly nodes: readonly unknown[];
  /** The arguments, written when they are first asked for. */
  readonly args: readonly Written[];
  readonly isDistinct: boolean;
  readonly ignoresNulls: boolean;
  /** The order of WITHIN GROUP. */
  readonly within: readonly SyntaxNode[] | null;
  /** The condition of FILTER. */
  readonly filter: string | null;
  /** What follows OVER. */
  readonly over: string | null;
  readonly window: WrittenWindow | null;
}

/** What a call is written as; its column is named after the call. */
export function writeResult(call: Call, type: KnownType, sql: string): Written {
  return { sql, type, name: showCall(call) };
}

/** The two arguments that a call must have. */
export function readPair(call: Call): readonly [Written, Written] {
  const [one, other] = call.args;
  if (one === undefined || other === undefined) return refuseOnFolder(`${call.name}() with so few arguments`);
  return [one, other];
}

/** The name of a column of the call. */
export function showCall(call: Call, form: string | readonly string[] = call.name): string | null {
  const shown =
    typeof form === 'string'
      ? form
      : (form.find((text) => countArguments(text) === call.args.length) ?? call.name);
  const names = call.args.map(({ name }) => name);
  if (names.includes(null)) return null;
  if (shown.endsWith('()')) return shown;
  const distinct = call.isDistinct ? 'DISTINCT ' : '';
  if (shown.includes('$'))
    return shown
      .replace(/\$(\d)/g, (_match, place: string) => names[Number(place) - 1] ?? '')
      .replace('(', () => `(${distinct}`);
  return `${shown}(${distinct}${names.join(', ')})`;
}

/** The name of a call with an argument that Databricks adds. */
export function appendName(call: Call, argument: string, form = call.name): string | null {
  const name = showCall(call, form);
  return name === null ? null : `${name.slice(0, -1)}, ${argument})`;
}

export const ROWS = 'ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW';
export const RANGE = 'RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW';
const WHOLE = 'ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING';

/** The name of a column that is a call over a window. */
export function showWindow({ window }: Call, name: string | null, frame: string | null): string | null {
  if (name === null || window === null || window.name === null) return null;
  const end = frame ?? (window.isOrdered ? RANGE : WHOLE);
  return `${name} OVER (${window.name === '' ? '' : `${window.name} `}${end})`;
}

/** How many arguments a template takes. */
export function countArguments(template: string): number {
  const places = [...template.matchAll(/\$[a-zA-Z]?(\d)/g)].map(([, place]) => Number(place));
  return Math.max(0, ...places);
}
