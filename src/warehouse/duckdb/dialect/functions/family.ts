import { type Call, type RANGE, ROWS } from '../call.ts';
import { innerTypes } from '../nested-types.ts';
import {
  pickTemplate,
  type ResultType,
  type Template,
  writeAggregate,
  writeScalar,
  writeWindow,
} from '../templates.ts';
import { findCommonType, type KnownType } from '../types.ts';
import type { Written } from '../written.ts';

/** Functions by their names, and how a call of each is written. */
export type Family = Readonly<Record<string, (call: Call) => Written>>;

/** Functions that are written alike: a template, or one for each number of arguments. */
export type Row = readonly [
  names: string,
  templates: string | readonly string[],
  type: ResultType,
  shown?: string | readonly string[],
];

/** The type of the first argument. */
export const FIRST: ResultType = ([first]) => first ?? null;

/** The type of the items of the first argument. */
export const ITEM: ResultType = ([list]) => innerTypes(list ?? null)[0] ?? null;

/** The type that all arguments can be converted to. */
export const COMMON: ResultType = (types) =>
  types.reduce<KnownType>((one, other) => findCommonType(one, other), 'VOID');

/** Functions of one row. */
export function scalars(rows: readonly Row[]): Family {
  return toFamily(rows, writeScalar);
}

/** Aggregates: what is in braces is the aggregate, and what follows `|` in it a condition on its rows. */
export function aggregates(rows: readonly Row[]): Family {
  return toFamily(rows, (call, { templates, type, shown }) =>
    writeAggregate(call, pickTemplate(call, templates), type, shown),
  );
}

/** Functions of windows. */
export function windows(rows: readonly Row[], frame: typeof ROWS | typeof RANGE = ROWS): Family {
  return toFamily(rows, (call, template) => writeWindow(call, template, frame));
}

function toFamily(rows: readonly Row[], write: (call: Call, template: Template) => Written): Family {
  return Object.fromEntries(
    rows.flatMap(([names, templates, type, shown]) => {
      const template = { templates: typeof templates === 'string' ? [templates] : templates, type, shown };
      return names.split(' ').map((name) => [name, (call: Call) => write(call, template)]);
    }),
  );
}
