import { toArgument } from './arguments.ts';
import { type Call, countArguments, type RANGE, type ROWS, showCall, showWindow } from './call.ts';
import { refuseOnFolder } from './refused.ts';
import type { KnownType } from './types.ts';
import type { Written } from './written.ts';

/** The type of a result, or how it follows from the types of the arguments. */
export type ResultType = KnownType | ((types: readonly KnownType[]) => KnownType);

/** How a function is written. */
export interface Template {
  /** One for each number of arguments: `$1` is the first; a letter says what it must be (see `toArgument`). */
  readonly templates: readonly string[];
  readonly type: ResultType;
  /** How Databricks names a column of it, if not as it is called. */
  readonly shown?: string | readonly string[] | undefined;
}

/** Writes a function of one row. */
export function writeScalar(call: Call, { templates, type, shown }: Template): Written {
  if (call.over !== null || call.filter !== null || call.within !== null || call.isDistinct)
    refuseOnFolder(`${call.name}() with DISTINCT, FILTER or OVER`);
  return {
    sql: fill(pickTemplate(call, templates), call),
    type: findType(type, call),
    name: showCall(call, shown),
  };
}

/** Writes a function of windows. @param frame which Databricks names it with. */
export function writeWindow(
  call: Call,
  { templates, type, shown }: Template,
  frame: typeof ROWS | typeof RANGE,
): Written {
  if (call.over === null) refuseOnFolder(`${call.name}() without OVER`);
  return {
    sql: `${fill(templates[0] ?? '', call)} OVER ${call.over}`,
    type: findType(type, call),
    name: showWindow(call, showCall(call, shown), frame),
  };
}

/**
 * Writes an aggregate. The template may wrap it: `spark_sum({sum($1)})`; each part in braces is a call of an aggregate, which
 * takes DISTINCT, FILTER and OVER, after `|` with a further condition.
 */
export function writeAggregate(
  call: Call,
  template: string,
  type: ResultType,
  shown?: string | readonly string[],
): Written {
  const text = template.includes('{') ? template : `{${template}}`;
  const sql = text.replace(/\{([^}]*)\}/g, (_match, inner: string) => {
    const [aggregate = '', condition] = inner.split('|');
    const filled = fill(aggregate, call);
    const distinct = call.isDistinct ? filled.replace('(', '(DISTINCT ') : filled;
    const conditions = [
      ...(condition === undefined ? [] : [fill(condition, call)]),
      ...(call.filter === null ? [] : [call.filter]),
    ];
    const filter = conditions.length === 0 ? '' : ` FILTER (WHERE ${conditions.join(' AND ')})`;
    return `${distinct}${filter}${call.over === null ? '' : ` OVER ${call.over}`}`;
  });
  if (call.within !== null) refuseOnFolder(`${call.name}() with WITHIN GROUP`);
  if (call.ignoresNulls) refuseOnFolder(`${call.name}() with IGNORE NULLS`);
  return {
    sql,
    type: findType(type, call),
    name:
      call.filter !== null
        ? null
        : call.over === null
          ? showCall(call, shown)
          : showWindow(call, showCall(call, shown), null),
  };
}

/** The template for the number of arguments of a call. */
export function pickTemplate(call: Call, templates: readonly string[]): string {
  const count = call.nodes.length;
  const found = templates.find((template) => countArguments(template) === count || template.includes('*)'));
  return found ?? refuseOnFolder(`${call.name}() with ${count === 1 ? '1 argument' : `${count} arguments`}`);
}

function findType(type: ResultType, call: Call): KnownType {
  return typeof type === 'function' ? type(call.args.map((argument) => argument.type)) : type;
}

const ARGUMENT = /\$([a-zA-Z]?)(\d|\*)/g;

/** Fills a template: `$1` is the first argument, `$t1` as a text, `$i1` as a whole number, `$*` all. */
function fill(template: string, call: Call): string {
  return template.replace(ARGUMENT, (_match, kind: string, place: string) =>
    place === '*'
      ? call.args.map((argument) => toArgument(call, argument, kind)).join(', ')
      : toArgument(call, call.args[Number(place) - 1], kind),
  );
}
