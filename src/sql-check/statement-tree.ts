import { asciiLowerCase } from '../shared/ascii-case.ts';
import { isObject } from '../shared/json.ts';
import { refuse } from './refusal.ts';
import { contentOfWith, textOfName } from './relation-names.ts';
import { forbiddenKindPrefix, forbiddenKinds, tableFunctions } from './statement-rules.ts';
import { refuseParameter } from './statement-words.ts';
import { contentOf, kindOf, type SyntaxNode, visitTree } from './syntax-tree.ts';

export const queryKinds: ReadonlySet<string> = new Set(['select', 'union', 'intersect', 'except']);

export function isQuery(node: unknown): boolean {
  const kind = kindOf(node);
  if (kind === 'subquery' || kind === 'paren') return isQuery(contentOf(node, kind).this);
  return kind !== null && queryKinds.has(kind);
}

export interface Findings {
  readonly parameterNames: readonly string[];
  /** How often each name, in lower case, is given to a table or sub-query together with names for its columns. */
  readonly aliases: ReadonlyMap<string, number>;
  /** Whether it takes a random part of a table. */
  readonly sampled: boolean;
}

/** What a statement holds. Refuses all but a SELECT that reads. */
export function readTree(statement: SyntaxNode): Findings {
  const parameters = new Set<string>();
  const aliases = new Map<string, number>();
  const addAlias = (alias: unknown) => aliases.set(aliasOf(alias), (aliases.get(aliasOf(alias)) ?? 0) + 1);
  let sampled = false;
  visitTree(statement, (key, value) => {
    if (isObject(value) && (forbiddenKinds.has(key) || forbiddenKindPrefix.test(key)))
      refuse('Only a SELECT that reads can run here: it may not write, lock, change settings or run code.');
    if (key === 'locks' && Array.isArray(value) && value.length > 0)
      refuse('A query may not lock rows: remove FOR UPDATE or FOR SHARE.');
    if (key === 'placeholder' || key === 'session_parameter') refuseParameter('query');
    if (key === 'parameter' && isObject(value)) parameters.add(parameterName(value));
    if (key === 'table_sample' || key === 'sample') sampled = true;
    if (key === 'ctes' && Array.isArray(value)) {
      for (const cte of value.map(contentOfWith)) {
        checkWith(cte);
        if (Array.isArray(cte.columns) && cte.columns.length > 0) addAlias(cte.alias);
      }
    }
    if (isObject(value) && Array.isArray(value.column_aliases) && value.column_aliases.length > 0)
      addAlias(value.alias);
    // A field of that name holds a node; a node of that kind holds the query in `this`.
    if (key === 'subquery' && isObject(value) && value.this !== undefined) checkNested(value.this);
    checkSources(key, value);
    if (key === 'select' && isObject(value)) checkJoins(value);
  });
  return { parameterNames: [...parameters].sort(), aliases, sampled };
}

function aliasOf(alias: unknown): string {
  return asciiLowerCase(typeof alias === 'string' ? alias : textOfName(alias));
}

function parameterName(parameter: SyntaxNode): string {
  const name = parameter.name;
  if (parameter.style !== 'Colon' || typeof name !== 'string' || parameter.quoted === true)
    refuseParameter('query');
  if (!/^[A-Za-z_]\w{0,62}$/.test(name))
    refuse('The name of a parameter is letters, digits and underscores, as in :low.');
  return name;
}

function checkWith(cte: SyntaxNode): void {
  if (!isQuery(cte.this) && kindOf(cte.this) !== 'values')
    refuse('Only a SELECT can stand in a WITH clause.');
}

function checkNested(inner: unknown): void {
  if (isQuery(inner) || kindOf(inner) === 'values') return;
  checkSource(inner);
}

/** Checks what stands where a table stands: in FROM, in a join, in LATERAL. */
function checkSources(key: string, value: unknown): void {
  if (key === 'from' && isObject(value) && Array.isArray(value.expressions)) {
    for (const source of value.expressions) checkSource(source);
  } else if ((key === 'joins' || key === 'lateral_views') && Array.isArray(value)) {
    for (const item of value) checkSource(isObject(item) ? item.this : item);
  } else if (key === 'lateral' && isObject(value)) {
    checkSource(value.this);
  }
}

/** The kinds of joins that Databricks has, by whether they give the same after a comma as they do after CROSS JOIN. */
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
    if (isSameAfterComma === undefined) refuse('Databricks has no such join.');
    // A comma is written as CROSS JOIN, which binds as tightly as the join does.
    if (sources.length > 1 && !isSameAfterComma)
      refuse(
        'A RIGHT, FULL or NATURAL join cannot follow a comma: write CROSS JOIN and put parentheses around joins.',
      );
  }
}

const sourceKinds: ReadonlySet<string> = new Set([
  ...['table', 'values', 'subquery', 'unnest', 'explode', 'explode_outer', 'generate_series', 'sequence'],
  ...queryKinds,
]);
const sourceWrappers: ReadonlySet<string> = new Set([
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
  const kind = kindOf(source);
  if (kind === null) refuse('A query reads only tables, sub-queries and a few functions such as explode.');
  const content = contentOf(source, kind);
  if (sourceKinds.has(kind)) return;
  if (sourceWrappers.has(kind)) {
    checkSource(kind === 'joined_table' ? content.left : content.this);
    return;
  }
  const name = typeof content.name === 'string' ? content.name : kind;
  if (kind !== 'function' || !tableFunctions.has(asciiLowerCase(name)))
    refuse(`${name} cannot stand where a table stands: name a table as catalog.schema.table.`);
}
