import { asciiLowerCase } from '../shared/ascii-case.ts';
import { isObject } from '../shared/json.ts';
import { refuse } from './refusal.ts';
import { toName, toWithContent } from './relation-names.ts';
import { FORBIDDEN_KIND_PREFIX, FORBIDDEN_KINDS, TABLE_FUNCTIONS } from './statement-rules.ts';
import { refuseParameter } from './statement-words.ts';
import { getContent, getKind, type SyntaxNode, visitTree } from './syntax-tree.ts';

export const QUERY_KINDS: ReadonlySet<string> = new Set(['select', 'union', 'intersect', 'except']);

export function isQuery(node: unknown): boolean {
  const kind = getKind(node);
  if (kind === 'subquery' || kind === 'paren') return isQuery(getContent(node, kind).this);
  return kind !== null && QUERY_KINDS.has(kind);
}

export interface Findings {
  readonly parameterNames: readonly string[];
  /** How often each name, in lower case, is an alias of a table or sub-query with column aliases. */
  readonly aliases: ReadonlyMap<string, number>;
  /** Whether it samples a table. */
  readonly isSampled: boolean;
}

/** Reads what a statement contains. Refuses all but a SELECT that only reads. */
export function readTree(statement: SyntaxNode): Findings {
  const parameters = new Set<string>();
  const aliases = new Map<string, number>();
  const addAlias = (alias: unknown) =>
    aliases.set(toAliasName(alias), (aliases.get(toAliasName(alias)) ?? 0) + 1);
  let isSampled = false;
  visitTree(statement, (key, value) => {
    if (isObject(value) && (FORBIDDEN_KINDS.has(key) || FORBIDDEN_KIND_PREFIX.test(key)))
      refuse('Only a SELECT that reads can run here: it cannot write, lock, change settings or run code.');
    if (key === 'locks' && Array.isArray(value) && value.length > 0)
      refuse('A query cannot lock rows: remove FOR UPDATE or FOR SHARE.');
    if (key === 'placeholder' || key === 'session_parameter') refuseParameter('query');
    if (key === 'parameter' && isObject(value)) parameters.add(parseParameterName(value));
    if (key === 'table_sample' || key === 'sample') isSampled = true;
    if (key === 'ctes' && Array.isArray(value)) {
      for (const cte of value.map(toWithContent)) {
        checkWith(cte);
        if (Array.isArray(cte.columns) && cte.columns.length > 0) addAlias(cte.alias);
      }
    }
    if (isObject(value) && Array.isArray(value.column_aliases) && value.column_aliases.length > 0)
      addAlias(value.alias);
    // `subquery` is either a field that holds a node, or a node whose `this` holds the query.
    if (key === 'subquery' && isObject(value) && value.this !== undefined) checkNested(value.this);
    checkSources(key, value);
    if (key === 'select' && isObject(value)) checkJoins(value);
  });
  return { parameterNames: [...parameters].sort(), aliases, isSampled };
}

function toAliasName(alias: unknown): string {
  return asciiLowerCase(typeof alias === 'string' ? alias : toName(alias));
}

function parseParameterName(parameter: SyntaxNode): string {
  const name = parameter.name;
  if (parameter.style !== 'Colon' || typeof name !== 'string' || parameter.quoted === true)
    refuseParameter('query');
  if (!/^[A-Za-z_]\w{0,62}$/.test(name))
    refuse('The name of a parameter can only have letters, digits and underscores, as in :low.');
  return name;
}

function checkWith(cte: SyntaxNode): void {
  if (!isQuery(cte.this) && getKind(cte.this) !== 'values')
    refuse('Only a SELECT is allowed in a WITH clause.');
}

function checkNested(inner: unknown): void {
  if (isQuery(inner) || getKind(inner) === 'values') return;
  checkSource(inner);
}

/** Checks everything that can replace a table: in FROM, joins and LATERAL. */
function checkSources(key: string, value: unknown): void {
  if (key === 'from' && isObject(value) && Array.isArray(value.expressions)) {
    for (const source of value.expressions) checkSource(source);
  } else if ((key === 'joins' || key === 'lateral_views') && Array.isArray(value)) {
    for (const item of value) checkSource(isObject(item) ? item.this : item);
  } else if (key === 'lateral' && isObject(value)) {
    checkSource(value.this);
  }
}

/** The joins of Databricks, and whether each means the same after a comma as after CROSS JOIN. */
const JOIN_KINDS: ReadonlyMap<unknown, boolean> = new Map([
  ...['Inner', 'Left', 'Outer', 'Cross', 'Implicit', 'Lateral', 'LeftLateral'].map(
    (kind) => [kind, true] as const,
  ),
  ...['LeftSemi', 'LeftAnti', 'Semi', 'Anti'].map((kind) => [kind, true] as const),
  ...['Right', 'Full', 'Natural', 'NaturalLeft', 'NaturalRight', 'NaturalFull'].map(
    (kind) => [kind, false] as const,
  ),
]);

function checkJoins({ from, joins }: SyntaxNode): void {
  const sources = isObject(from) && Array.isArray(from.expressions) ? from.expressions : [];
  for (const join of Array.isArray(joins) ? joins : []) {
    const isSameAfterComma = isObject(join) ? JOIN_KINDS.get(join.kind) : undefined;
    if (isSameAfterComma === undefined) refuse('Databricks has no such join: use one that it has.');
    // A comma is rewritten as CROSS JOIN, which binds as tightly as other joins.
    if (sources.length > 1 && !isSameAfterComma)
      refuse(
        'A RIGHT, FULL or NATURAL join cannot follow a comma: write CROSS JOIN and put parentheses around joins.',
      );
  }
}

const SOURCE_KINDS: ReadonlySet<string> = new Set([
  ...['table', 'values', 'subquery', 'unnest', 'explode', 'explode_outer', 'generate_series', 'sequence'],
  ...QUERY_KINDS,
]);
const SOURCE_WRAPPERS: ReadonlySet<string> = new Set([
  ...[
    'alias',
    'paren',
    'pivot',
    'unpivot',
    'lateral',
    'table_sample',
    'pivot_alias',
    'table_alias',
    'joined_table',
  ],
]);

function checkSource(source: unknown): void {
  const kind = getKind(source);
  if (kind === null) refuse('A query reads only tables, sub-queries and a few functions such as explode.');
  const content = getContent(source, kind);
  if (SOURCE_KINDS.has(kind)) return;
  if (SOURCE_WRAPPERS.has(kind)) {
    checkSource(kind === 'joined_table' ? content.left : content.this);
    return;
  }
  const name = typeof content.name === 'string' ? content.name : kind;
  if (kind !== 'function' || !TABLE_FUNCTIONS.has(asciiLowerCase(name)))
    refuse(`${name} cannot be used as a table: name a table as catalog.schema.table.`);
}
