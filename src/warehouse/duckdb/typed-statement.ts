import type { DuckDBConnection } from '@duckdb/node-api';
import { asciiLowerCase } from '../../shared/ascii-case.ts';
import { isObject } from '../../shared/json.ts';
import type { StatementParameters } from './error.ts';
import { quoteName } from './text.ts';
import { TYPED_COLUMN, type TypedColumn, type TypedColumns } from './text-types.ts';
import { listIn, nodeIn, readStatement, type TreeNode } from './tree.ts';
import { readColumnName, writeStatement } from './write-tree.ts';

/** What is known of the columns of a table before a statement is typed. */
export interface TableColumns {
  /** In their order. */
  readonly names: readonly string[];
  /** Whether each column is of text, by their names in lower case. */
  readonly areTexts: ReadonlyMap<string, boolean>;
  /** The columns of types that Databricks lacks, such as UUID, by their names in lower case: they are described as others. */
  readonly foreign: ReadonlySet<string>;
  readonly typed: TypedColumns;
}

/** The columns of a table as SQL takes them, to describe their types. */
export function selectTyped({ names, typed }: TableColumns): string {
  const columns = names.map((name) => {
    const column = typed.get(asciiLowerCase(name));
    const expression = column?.expression.replaceAll(TYPED_COLUMN, () => quoteName(name));
    return expression === undefined ? quoteName(name) : `${expression} AS ${quoteName(name)}`;
  });
  return columns.length === 0 ? '*' : columns.join(', ');
}

/**
 * Has a statement take columns of texts for what all of their texts are, wherever it compares, orders or calculates. What it
 * returns stays the text that was written.
 */
export async function typeStatement(
  connection: DuckDBConnection,
  sql: string,
  tables: readonly TableColumns[],
  parameters: StatementParameters,
): Promise<string> {
  const typed = mergeTyped(tables);
  if (typed.size === 0) return sql;
  const statement = await readStatement(connection, sql);
  const known = new Map<string, KnownColumn>();
  for (const [name, column] of typed) known.set(name, await readExpression(connection, column));
  const texts = new Set(
    tables.flatMap(({ areTexts }) => [...areTexts].flatMap(([name, isText]) => (isText ? [name] : []))),
  );
  const typer = new Typer(withAliases(statement, known), texts, parameters);
  const changed = typer.visit(statement);
  if (changed === statement) return sql;
  for (const { copy, original } of typer.unnamed) copy.alias = await readColumnName(connection, original);
  return writeStatement(connection, changed as TreeNode);
}

/** A typed column, with its expression as a tree. */
interface KnownColumn {
  readonly kind: TypedColumn['kind'];
  readonly template: TreeNode;
}

interface FoundColumn {
  readonly column: KnownColumn;
  /** The names of the column and its table. */
  readonly names: readonly string[];
  /** The fields of its value, one within the other. */
  readonly fields: readonly string[];
}

/** A name that stands for different things in two tables is taken for what it is. */
function mergeTyped(tables: readonly TableColumns[]): TypedColumns {
  const merged = new Map<string, TypedColumn>();
  for (const { typed } of tables) {
    for (const [name, column] of typed) {
      const isShared = tables.every(({ areTexts, typed: others }) => {
        const other = others.get(name);
        return other === undefined ? areTexts.get(name) !== true : other.expression === column.expression;
      });
      if (isShared) merged.set(name, column);
    }
  }
  return merged;
}

async function readExpression(
  connection: DuckDBConnection,
  { kind, expression }: TypedColumn,
): Promise<KnownColumn> {
  const [template = {}] = listIn(
    nodeIn(await readStatement(connection, `SELECT ${expression}`), 'node'),
    'select_list',
  );
  return { kind, template };
}

/** Adds the other names that a statement gives to typed columns. */
function withAliases(
  statement: TreeNode,
  known: ReadonlyMap<string, KnownColumn>,
): ReadonlyMap<string, KnownColumn> {
  const all = new Map(known);
  const visit = (part: unknown): void => {
    if (Array.isArray(part)) part.forEach(visit);
    if (!isObject(part)) return;
    for (const { class: kind, alias, column_names: names } of listIn(part, 'select_list')) {
      const column = kind === 'COLUMN_REF' ? all.get(asciiLowerCase(readLast(names))) : undefined;
      const name = asciiLowerCase(String(alias));
      if (name !== '' && column !== undefined && !all.has(name)) all.set(name, column);
    }
    Object.values(part).forEach(visit);
  };
  visit(statement);
  return all;
}

function readLast(names: unknown): string {
  return Array.isArray(names) ? String(names.at(-1)) : '';
}

type ChangedNode = Record<string, unknown>;

class Typer {
  readonly #known: ReadonlyMap<string, KnownColumn>;
  readonly #texts: ReadonlySet<string>;
  readonly #parameters: StatementParameters;
  /** Columns that would be called by their changed expressions. */
  readonly unnamed: { readonly copy: ChangedNode; readonly original: TreeNode }[] = [];

  constructor(
    known: ReadonlyMap<string, KnownColumn>,
    texts: ReadonlySet<string>,
    parameters: StatementParameters,
  ) {
    this.#known = known;
    this.#texts = texts;
    this.#parameters = parameters;
  }

  /** Returns the same part if nothing of it changes. */
  visit(part: unknown): unknown {
    if (Array.isArray(part)) {
      const items = part.map((item) => this.visit(item));
      return items.some((item, index) => item !== part[index]) ? items : part;
    }
    if (!isObject(part)) return part;
    const entries = Object.entries(part).map(([key, value]) => [key, this.visit(value)] as const);
    const isChanged = entries.some(([key, value]) => value !== part[key]);
    const node = isChanged ? Object.fromEntries(entries) : part;
    const typed = this.#typeOperands(node);
    return typed === part ? part : this.#keepNames(part, typed);
  }

  /** Types the columns that are operands of a node. */
  #typeOperands(node: TreeNode): TreeNode {
    switch (node.class) {
      case 'COMPARISON':
        return this.#typeCompared(node, ['left', 'right'], EQUALITIES.has(String(node.type)));
      case 'BETWEEN':
        return this.#typeCompared(node, ['input', 'lower', 'upper'], false);
      case 'OPERATOR':
        return this.#typeOperator(node);
      case 'CONJUNCTION':
        return this.#typeList(node, 'children', () => ['BOOLEAN']);
      case 'CASE':
        return this.#typeCase(node);
      case 'CAST':
        return this.#type(node, 'child', nodeIn(node, 'cast_type').id === 'VARCHAR' ? ['JSON'] : CAST_KINDS);
      case 'FUNCTION':
      case 'WINDOW':
        return this.#typeCall(node);
      case 'SUBQUERY':
        return this.#typeMember(node);
    }
    return node.type === 'SELECT_NODE' ? this.#typeSelect(node) : node;
  }

  #typeCompared(node: TreeNode, keys: readonly string[], isEquality: boolean): TreeNode {
    const areTexts = keys.every((key) => this.#isText(node[key]));
    const kinds = isEquality && areTexts ? EQUAL_KINDS : ALL_KINDS;
    return keys.reduce((changed, key) => this.#type(changed, key, kinds), node);
  }

  #typeOperator(node: TreeNode): TreeNode {
    const type = String(node.type);
    const children = listIn(node, 'children');
    if (type === 'OPERATOR_NOT') return this.#typeList(node, 'children', () => ['BOOLEAN']);
    if (type === 'ARRAY_EXTRACT' || type === 'ARRAY_SLICE')
      return this.#typeList(node, 'children', (index) => (index === 0 ? ['JSON'] : ['NUMBER', 'JSON']));
    if (!COMPARING_OPERATORS.has(type)) return node;
    const areTexts = children.every((child) => this.#isText(child));
    const isMembership = type === 'COMPARE_IN' || type === 'COMPARE_NOT_IN';
    const mixed = isMembership ? EQUAL_KINDS : [];
    return this.#typeList(node, 'children', () => (areTexts ? mixed : ALL_KINDS));
  }

  #typeCase(node: TreeNode): TreeNode {
    const checks = listIn(node, 'case_checks');
    const results = [...checks.map(({ then_expr: then }) => then), node.else_expr];
    const kinds = results.every((result) => this.#isText(result)) ? [] : ALL_KINDS;
    const typed = checks.map((check) =>
      this.#type(this.#type(check, 'when_expr', ['BOOLEAN']), 'then_expr', kinds),
    );
    const isChanged = typed.some((check, index) => check !== checks[index]);
    return this.#type(isChanged ? { ...node, case_checks: typed } : node, 'else_expr', kinds);
  }

  #typeCall(node: TreeNode): TreeNode {
    const name = String(node.function_name);
    const typed = this.#typeList(node, 'children', (index) => findArgumentKinds(name, index));
    const orderBys = nodeIn(typed, 'order_bys');
    const orders = this.#typeList(orderBys, 'orders', () => ALL_KINDS, 'expression');
    const ordered = orders === orderBys ? typed : { ...typed, order_bys: orders };
    const windowed = this.#typeList(ordered, 'orders', () => ALL_KINDS, 'expression');
    return this.#typeList(windowed, 'arg_orders', () => ALL_KINDS, 'expression');
  }

  /** Types the value that is searched in the rows of a query, and what these rows have. */
  #typeMember(node: TreeNode): TreeNode {
    const subquery = nodeIn(node, 'subquery');
    const query = nodeIn(subquery, 'node');
    const [found] = listIn(query, 'select_list');
    const typed = this.#type(node, 'child', this.#isText(found) ? [] : ALL_KINDS);
    const selected = this.#typeList(query, 'select_list', () => ['JSON']);
    return selected === query ? typed : { ...typed, subquery: { ...subquery, node: selected } };
  }

  #typeSelect(node: TreeNode): TreeNode {
    const conditions = ['where_clause', 'having', 'qualify'];
    const filtered = conditions.reduce((changed, key) => this.#type(changed, key, ['BOOLEAN']), node);
    const modifiers = listIn(node, 'modifiers');
    // What is ordered must be selected in a SELECT DISTINCT.
    if (modifiers.some(({ type }) => type === 'DISTINCT_MODIFIER')) return filtered;
    const selected = listIn(node, 'select_list');
    const typed = modifiers.map((modifier) =>
      this.#typeList(
        modifier,
        'orders',
        () => ALL_KINDS,
        'expression',
        (expression) => findOrdered(expression, selected),
      ),
    );
    return typed.some((modifier, index) => modifier !== modifiers[index])
      ? { ...filtered, modifiers: typed }
      : filtered;
  }

  /** Types a list of expressions, or an expression of each entry of a list. */
  #typeList(
    node: TreeNode,
    key: string,
    findKinds: (index: number) => readonly TypedColumn['kind'][],
    inner?: string,
    find: (expression: TreeNode) => TreeNode | null = (expression) => expression,
  ): TreeNode {
    const list = node[key];
    if (!Array.isArray(list)) return node;
    const items = list.map((item: unknown, index) => {
      if (!isObject(item)) return item;
      if (inner === undefined) return this.#typeReference(item, findKinds(index)) ?? item;
      const expression = find(nodeIn(item, inner));
      const typed = expression === null ? null : this.#typeReference(expression, findKinds(index));
      return typed === null ? item : { ...item, [inner]: typed };
    });
    return items.some((item, index) => item !== list[index]) ? { ...node, [key]: items } : node;
  }

  #type(node: TreeNode, key: string, kinds: readonly TypedColumn['kind'][]): TreeNode {
    const operand = node[key];
    const typed = isObject(operand) ? this.#typeReference(operand, kinds) : null;
    return typed === null ? node : { ...node, [key]: typed };
  }

  /** Returns the typed expression of a column; null if it is none, or of another kind. */
  #typeReference(reference: TreeNode, kinds: readonly TypedColumn['kind'][]): TreeNode | null {
    const found = this.#find(reference);
    if (found === undefined || !kinds.includes(found.column.kind)) return null;
    const { column, names, fields } = found;
    const whole = fill(column.template, { ...reference, alias: '', column_names: names }) as TreeNode;
    const inner = fields.reduce<TreeNode>((value, field) => extractField(value, field), whole);
    return { ...inner, alias: reference.alias };
  }

  #find(reference: TreeNode): FoundColumn | undefined {
    if (reference.class !== 'COLUMN_REF' || !Array.isArray(reference.column_names)) return undefined;
    const names = reference.column_names.map(String);
    // Names before it are those of its table; those behind it are fields of its values.
    for (const [index, name] of names.entries()) {
      const column = this.#known.get(asciiLowerCase(name));
      const fields = names.slice(index + 1);
      if (column !== undefined && (fields.length === 0 || column.kind === 'JSON'))
        return { column, names: names.slice(0, index + 1), fields };
    }
    return undefined;
  }

  /** Whether an expression is a text as it is written. */
  #isText(part: unknown): boolean {
    if (!isObject(part)) return true;
    const { class: kind } = part;
    if (kind === 'CONSTANT') {
      const value = nodeIn(part, 'value');
      return value.is_null === true || nodeIn(value, 'type').id === 'VARCHAR';
    }
    if (kind === 'PARAMETER') {
      const value = this.#parameters[String(part.identifier)] ?? null;
      return value === null || typeof value === 'string';
    }
    if (kind === 'CAST') return nodeIn(part, 'cast_type').id === 'VARCHAR';
    if (kind === 'FUNCTION') return TEXT_FUNCTIONS.has(String(part.function_name));
    if (kind !== 'COLUMN_REF') return false;
    const found = this.#find(part);
    return found === undefined
      ? this.#texts.has(asciiLowerCase(readLast(part.column_names)))
      : found.column.kind !== 'JSON';
  }

  /** Has a column whose expression has changed keep the name that the engine gives to the original. */
  #keepNames(original: TreeNode, changed: TreeNode): TreeNode {
    const [before, after] = [listIn(original, 'select_list'), listIn(changed, 'select_list')];
    if (before.every((item, index) => item === after[index])) return changed;
    const named = after.map((item, index) => {
      const source = before[index];
      if (source === undefined || item === source || item.alias !== '') return item;
      const copy: ChangedNode = { ...item };
      this.unnamed.push({ copy, original: source });
      return copy;
    });
    return { ...changed, select_list: named };
  }
}

/** Finds the expression that rows are ordered by: that of a selected column, if it is named by its place. */
function findOrdered(expression: TreeNode, selected: readonly TreeNode[]): TreeNode | null {
  if (expression.class === 'CONSTANT') {
    const place = nodeIn(expression, 'value').value;
    const before = typeof place === 'number' ? selected.slice(0, place) : [];
    const found = before.at(-1);
    return found === undefined || before.some(({ class: kind }) => kind === 'STAR')
      ? null
      : { ...found, alias: '' };
  }
  const name = asciiLowerCase(readLast(expression.column_names));
  const named = selected.find(({ alias }) => asciiLowerCase(String(alias)) === name);
  if (named === undefined) return expression;
  // Something else may have the name of the column.
  return named.class === 'COLUMN_REF' ? { ...named, alias: '' } : null;
}

function extractField(value: TreeNode, field: string): TreeNode {
  const name = { type: { id: 'VARCHAR', type_info: null }, is_null: false, value: field };
  const common = { alias: '', query_location: 0 };
  return {
    ...{ ...common, class: 'FUNCTION', type: 'FUNCTION', function_name: 'struct_extract' },
    ...{ schema: '', catalog: '', filter: null, order_bys: { type: 'ORDER_MODIFIER', orders: [] } },
    ...{ distinct: false, is_operator: false, export_state: false },
    children: [value, { ...common, class: 'CONSTANT', type: 'VALUE_CONSTANT', value: name }],
  };
}

/** Puts a reference into the expression of its column. */
function fill(template: unknown, reference: TreeNode): unknown {
  if (Array.isArray(template)) return template.map((item) => fill(item, reference));
  if (!isObject(template)) return template;
  if (template.class === 'COLUMN_REF' && readLast(template.column_names) === TYPED_COLUMN) return reference;
  return Object.fromEntries(Object.entries(template).map(([key, value]) => [key, fill(value, reference)]));
}

const ALL_KINDS = ['NUMBER', 'BOOLEAN', 'TIME', 'JSON'] as const;

/** What texts are compared as if they must be equal: 1.10 is not 1.1, but a moment can be written in several ways. */
const EQUAL_KINDS = ['TIME', 'JSON'] as const;

/** A cast reads the text itself, except where it would not understand it. */
const CAST_KINDS = ['TIME', 'JSON'] as const;

const EQUALITIES: ReadonlySet<string> = new Set([
  ...['COMPARE_EQUAL', 'COMPARE_NOTEQUAL', 'COMPARE_DISTINCT_FROM', 'COMPARE_NOT_DISTINCT_FROM'],
]);

const COMPARING_OPERATORS: ReadonlySet<string> = new Set([
  ...['COMPARE_IN', 'COMPARE_NOT_IN', 'OPERATOR_COALESCE', 'OPERATOR_NULLIF'],
]);

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** Functions that take numbers or times. */
const CALCULATING_FUNCTIONS = words(`
  % * + - / // << >> & | ~ !__postfix xor abs acos acosh asin asinh atan atan2 atanh cbrt ceil cos cosh cot degrees exp
  factorial floor isinf isnan ln log log10 log2 power radians round sign sin sinh sqrt tan tanh trunc bit_count chr
  date_diff date_part date_sub date_trunc datediff day dayname dayofmonth dayofyear epoch hour isodow last_day make_date
  make_timestamp minute month monthname quarter second timezone to_days to_hours to_microseconds to_milliseconds
  to_minutes to_months to_quarters to_seconds to_timestamp to_weeks to_years week weekday weekofyear year strftime
  avg bool_and bool_or corr count_if covar_pop covar_samp kurtosis mean regr_avgx regr_avgy regr_count regr_intercept
  regr_r2 regr_slope regr_sxx regr_sxy regr_syy skewness stddev stddev_pop stddev_samp sum var_pop variance ntile
  bit_and bit_or bit_xor greatest least median approx_quantile quantile quantile_cont quantile_disc max min range
  generate_series bin`);

/** Functions of a text or a list, and numbers. */
const COUNTED_FUNCTIONS = words(
  'substring left right repeat lpad rpad split_part element_at array_extract nth_value lag lead',
);

/** Functions that return or count what they are given. */
const PASSING_FUNCTIONS = words(`
  count count_star approx_count_distinct any_value first last first_value last_value nth_value lag lead mode list
  array_agg hash typeof to_json json list_value struct_pack row map`);

/** Functions whose result is a text. */
const TEXT_FUNCTIONS = words(`
  lower upper trim ltrim rtrim substring left right concat || concat_ws replace regexp_replace regexp_extract lpad rpad
  repeat reverse translate md5 sha1 hex base64 split_part strftime printf dayname monthname`);

/** Functions of the dialect that take a value for the text that was written. */
const WRITTEN_TEXT =
  /^spark_(?:text|cast_string|cast_binary|bytes|contains|starts_with|ends_with|length|octet_length|bit_length|locate|upper|left|right|substring|replace|lpad|rpad|split|regexp|concat_ws|array_join|js_(?:initcap|soundex|reverse|translate|mask|quote|url|parse_url|sha2|crc32|murmur|xxhash|get_json|json_field|read_json|str_to_map|substring_index|luhn))/;

/** Comparisons and calculations of the dialect. */
const CALCULATION =
  /^spark_(?!list|item|get|element|try_element|size|array|map|json)|^(?:epoch_us|make_timestamptz|isoyear|round_even|var_samp|kurtosis_pop|dayofweek|to_microseconds)$/;

function findArgumentKinds(name: string, index: number): readonly TypedColumn['kind'][] {
  if (WRITTEN_TEXT.test(name)) return index === 0 ? ['JSON'] : ['NUMBER', 'JSON'];
  if (CALCULATION.test(name)) return ALL_KINDS;
  if (CALCULATING_FUNCTIONS.has(name)) return ALL_KINDS;
  if (name === 'arg_max' || name === 'arg_min') return index === 1 ? ALL_KINDS : [];
  if (COUNTED_FUNCTIONS.has(name) && index > 0) return ['NUMBER', 'JSON'];
  return PASSING_FUNCTIONS.has(name) ? [] : ['JSON'];
}
