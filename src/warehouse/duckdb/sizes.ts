import { asciiLowerCase } from '../../shared/ascii-case.ts';
import { isObject } from '../../shared/json.ts';
import { WarehouseError } from '../warehouse.ts';
import { duckDbFunctions, type FunctionSize, nestingFunctions } from './functions.ts';
import { ROOM_BYTES } from './room.ts';
import {
  allBytes,
  askingAggregate,
  askingCall,
  askingResult,
  atLeast,
  backslashes,
  bytesOf,
  countOf,
  itemsBetween,
  type LargeCall,
  matches,
  minus,
  occurrences,
  plus,
  times,
  whole,
} from './room-call.ts';
import type { TreeNode } from './tree.ts';

/** A statement that asks for room wherever it may make large texts or lists. */
export interface SizedStatement {
  readonly statement: TreeNode;
  /** Whether it asks anywhere, and so is another statement than before. */
  readonly asks: boolean;
  /** Columns that are called by their expression, which has changed. */
  readonly unnamed: readonly UnnamedColumn[];
}

export interface UnnamedColumn {
  /** The expression by whose text the column is called. */
  readonly original: TreeNode;
  setName(name: string): void;
}

/**
 * Finds how large the texts and lists of a statement can get, and has it ask for room before each call that may make much
 * more than the cells of its tables hold.
 * @param parameterBytes how long the value of each parameter is.
 * @throws WarehouseError STATEMENT_FAILED for what no question helps against: types, columns and expressions that multiply.
 */
export function sizeStatement(
  statement: TreeNode,
  parameterBytes: ReadonlyMap<string, number>,
): SizedStatement {
  return new Sizer(parameterBytes).statement(statement);
}

/** What a value takes at most. */
interface Value {
  /** So many times what one call that asked for room makes. */
  readonly made: number;
  /** So many times the largest cell of the tables. */
  readonly cells: number;
  readonly bytes: number;
  /** How many values without parts its type is made of. */
  readonly leaves: number;
  /** How deep its type is nested. */
  readonly depth: number;
  /** How many expressions it is, once each name of one is replaced by it. */
  readonly nodes: number;
}

/** What the rows of a source are like. */
interface Relation {
  /** The largest of its columns. */
  readonly column: Value;
  /** How often it has all columns of a table. */
  readonly tables: number;
  /** How many columns it has beside these. */
  readonly columns: number;
}

interface Scope {
  readonly ctes: ReadonlyMap<string, Relation>;
  readonly relation: Relation;
  /** Names that stand for a whole row. */
  readonly rows: ReadonlySet<string>;
  /** The columns that the same SELECT has named. */
  readonly aliases: ReadonlyMap<string, Value>;
}

interface Sized<Node> {
  readonly node: Node;
  readonly value: Value;
}

interface Source {
  readonly node: TreeNode;
  readonly relation: Relation;
  readonly rows: readonly string[];
}

const FIXED: Value = { made: 0, cells: 0, bytes: 24, leaves: 1, depth: 1, nodes: 1 };
const CELL: Value = { ...FIXED, cells: 1, bytes: 0 };
const MADE: Value = { ...FIXED, made: 1, bytes: 0 };
const NO_ROWS: Relation = { column: { ...FIXED, bytes: 0, nodes: 0 }, tables: 0, columns: 0 };

/** Up to here a result needs no room of its own. */
const FREE = { made: 1, cells: 32, bytes: 1_024 };

const MOST = { leaves: 4_096, depth: 100, nodes: 50_000, tables: 64, columns: 10_000 };

class Sizer {
  readonly #parameterBytes: ReadonlyMap<string, number>;
  /** The limit that each question has: what all of them have room for, divided by them. */
  readonly #limit = { type: { id: 'INTEGER', type_info: null }, is_null: false, value: 0 };
  readonly #unnamed: UnnamedColumn[] = [];
  #questions = 0;
  /** How many results may be as large as what a call that asked for room makes. */
  #large = 0;

  constructor(parameterBytes: ReadonlyMap<string, number>) {
    this.#parameterBytes = parameterBytes;
  }

  statement(statement: TreeNode): SizedStatement {
    const scope: Scope = { ctes: new Map(), relation: NO_ROWS, rows: new Set(), aliases: new Map() };
    const { node } = this.#query(nodeIn(statement, 'node'), scope);
    this.#limit.value = Math.floor(ROOM_BYTES / Math.max(this.#large, 1));
    return { statement: { ...statement, node }, asks: this.#questions > 0, unnamed: this.#unnamed };
  }

  #query(query: TreeNode, outer: Scope): { node: TreeNode; relation: Relation } {
    const { cteMap, scope } = this.#ctes(query, outer);
    if (query.type === 'SELECT_NODE') return this.#select({ ...query, cte_map: cteMap }, scope);
    if (query.type !== 'SET_OPERATION_NODE') throw refusal('A query of this kind');
    const left = this.#query(nodeIn(query, 'left'), scope);
    const right = this.#query(nodeIn(query, 'right'), scope);
    const relation = widest(left.relation, right.relation);
    const modifiers = this.#within(query.modifiers, { ...scope, relation }).node;
    return { node: { ...query, cte_map: cteMap, left: left.node, right: right.node, modifiers }, relation };
  }

  #ctes(query: TreeNode, outer: Scope): { cteMap: TreeNode; scope: Scope } {
    const map = nodeIn(query, 'cte_map');
    const ctes = new Map(outer.ctes);
    const entries = listIn(map, 'map').map((entry) => {
      const cte = nodeIn(entry, 'value');
      const holder = nodeIn(cte, 'query');
      const { node, relation } = this.#cte(nodeIn(holder, 'node'), { ...outer, ctes });
      ctes.set(spelled(entry.key), relation);
      return { ...entry, value: { ...cte, query: { ...holder, node } } };
    });
    return { cteMap: { ...map, map: entries }, scope: { ...outer, ctes } };
  }

  #cte(query: TreeNode, outer: Scope): { node: TreeNode; relation: Relation } {
    if (query.type !== 'RECURSIVE_CTE_NODE') return this.#query(query, outer);
    const { cteMap, scope } = this.#ctes(query, outer);
    const left = this.#query(nodeIn(query, 'left'), scope);
    // A round may hold what the one before it made, and asks for room before it makes more.
    const relation = { ...left.relation, column: larger(left.relation.column, MADE) };
    const ctes = new Map([...scope.ctes, [spelled(query.cte_name), relation] as const]);
    const right = this.#query(nodeIn(query, 'right'), { ...scope, ctes });
    const { leaves, depth } = right.relation.column;
    if (leaves > relation.column.leaves || depth > relation.column.depth)
      throw refusal('A recursive query that puts its own rows into lists or objects');
    const node = { ...query, cte_map: cteMap, left: left.node, right: right.node };
    return { node, relation: widest(relation, right.relation) };
  }

  #select(select: TreeNode, outer: Scope): { node: TreeNode; relation: Relation } {
    const from = this.#source(nodeIn(select, 'from_table'), outer);
    const column = larger(from.relation.column, outer.relation.column);
    const rows = new Set([...outer.rows, ...from.rows]);
    const aliases = new Map<string, Value>();
    const scope: Scope = { ...outer, relation: { ...from.relation, column }, rows, aliases };
    let relation = NO_ROWS;
    const selected = listIn(select, 'select_list').map((item) => {
      const questions = this.#questions;
      const { node, value } = this.#expression(item, scope);
      const isStar = item.class === 'STAR';
      if (item.alias !== '') aliases.set(spelled(item.alias), value);
      relation = checkedRelation({
        column: larger(relation.column, { ...value, nodes: 1 }),
        tables: relation.tables + (isStar ? from.relation.tables : 0),
        columns: relation.columns + (isStar ? from.relation.columns : value.leaves),
      });
      return item.alias === '' && !isStar && this.#questions > questions ? this.#named(item, node) : node;
    });
    const { cte_map, select_list: _, from_table: __, ...rest } = select;
    const others = this.#within(rest, scope).node as TreeNode;
    return { node: { ...others, cte_map, select_list: selected, from_table: from.node }, relation };
  }

  /** A column that nobody gave a name keeps the one that its expression gave it. */
  #named(original: TreeNode, changed: TreeNode): TreeNode {
    const named = { ...changed, alias: '' };
    this.#unnamed.push({
      original,
      setName(name) {
        named.alias = name;
      },
    });
    return named;
  }

  #source(source: TreeNode, scope: Scope): Source {
    const rows = (name: unknown) => [spelled(source.alias === '' ? name : source.alias)];
    switch (source.type) {
      case 'EMPTY':
        return { node: source, relation: NO_ROWS, rows: [] };
      case 'BASE_TABLE': {
        const isBare = source.catalog_name === '' && source.schema_name === '';
        const cte = isBare ? scope.ctes.get(spelled(source.table_name)) : undefined;
        const relation = cte ?? { column: CELL, tables: 1, columns: 0 };
        return { node: source, relation, rows: rows(source.table_name) };
      }
      case 'SUBQUERY': {
        const holder = nodeIn(source, 'subquery');
        const { node, relation } = this.#query(nodeIn(holder, 'node'), scope);
        return { node: { ...source, subquery: { ...holder, node } }, relation, rows: rows('') };
      }
      case 'JOIN':
        return this.#join(source, scope);
      case 'TABLE_FUNCTION': {
        // As a table a series is made a few rows at a time.
        const call = nodeIn(source, 'function');
        const { node, values } = this.#within(call.children, scope);
        const column = call.function_name === 'unnest' ? largest(values) : FIXED;
        const relation = { column: { ...column, nodes: 1 }, tables: 0, columns: column.leaves };
        const called = { ...source, function: { ...call, children: node } };
        return { node: called, relation, rows: rows(call.function_name) };
      }
      case 'EXPRESSION_LIST': {
        const { node, values } = this.#within(source.values, scope);
        const [row] = Array.isArray(source.values) ? source.values : [];
        const columns = Array.isArray(row) ? row.length : 1;
        const column = { ...largest(values), nodes: 1 };
        return {
          node: { ...source, values: node },
          relation: { column, tables: 0, columns },
          rows: rows(''),
        };
      }
      case 'PIVOT': {
        const { source: from, ...rest } = source;
        const inner = this.#source(isObject(from) ? from : {}, scope);
        const collects = listIn(source, 'aggregates').find((call) => sizeOf(call).kind === 'COLLECT');
        if (collects !== undefined) throw refusal(`${collects.function_name} within PIVOT`);
        const { node, values } = this.#within(rest, {
          ...scope,
          relation: widest(scope.relation, inner.relation),
        });
        const relation = checkedRelation({
          column: larger(inner.relation.column, { ...largest(values), nodes: 1 }),
          tables: inner.relation.tables,
          columns: inner.relation.columns + countEntries(source),
        });
        return { node: { ...(node as TreeNode), source: inner.node }, relation, rows: rows('') };
      }
      default:
        throw refusal('A source of this kind');
    }
  }

  #join(join: TreeNode, scope: Scope): Source {
    const left = this.#source(nodeIn(join, 'left'), scope);
    const afterLeft = { ...scope, relation: widest(scope.relation, left.relation) };
    const right = this.#source(nodeIn(join, 'right'), afterLeft);
    const relation = checkedRelation({
      column: larger(left.relation.column, right.relation.column),
      tables: left.relation.tables + right.relation.tables,
      columns: left.relation.columns + right.relation.columns,
    });
    const rows = [...left.rows, ...right.rows];
    const both = {
      ...scope,
      relation: widest(scope.relation, relation),
      rows: new Set([...scope.rows, ...rows]),
    };
    const condition = this.#within(join.condition, both).node;
    const node = { ...join, left: left.node, right: right.node, condition };
    // DuckDB writes this kind as a comma, which binds less tightly than the join that it was read from.
    return {
      node: join.ref_type === 'CROSS' ? { ...node, ref_type: 'REGULAR', condition: TRUE } : node,
      relation,
      rows,
    };
  }

  /** What stands within a part of a statement, whatever the part is. */
  #within(part: unknown, scope: Scope): { node: unknown; values: readonly Value[] } {
    if (Array.isArray(part)) {
      const items = part.map((item) => this.#within(item, scope));
      return { node: items.map(({ node }) => node), values: items.flatMap(({ values }) => values) };
    }
    if (!isObject(part) || 'rawJSON' in part) return { node: part, values: [] };
    if (typeof part.class === 'string') {
      const { node, value } = this.#expression(part, scope);
      return { node, values: [value] };
    }
    const entries = Object.entries(part).map(([key, item]) => [key, this.#within(item, scope)] as const);
    return {
      node: Object.fromEntries(entries.map(([key, { node }]) => [key, node])),
      values: entries.flatMap(([, { values }]) => values),
    };
  }

  #expression(expression: TreeNode, scope: Scope): Sized<TreeNode> {
    const sized = this.#sized(expression, scope);
    const { made, leaves, depth, nodes } = sized.value;
    if (leaves > MOST.leaves)
      throw refusal(`An object or a type of more than ${MOST.leaves.toLocaleString('en')} parts`);
    if (depth > MOST.depth) throw refusal(`A value that is nested more than ${MOST.depth} deep`);
    if (nodes > MOST.nodes) throw refusal('An expression that repeats others too often');
    if (made > 0 && expression.class !== 'COLUMN_REF') this.#large += 1;
    return sized;
  }

  #sized(expression: TreeNode, scope: Scope): Sized<TreeNode> {
    switch (expression.class) {
      case 'CONSTANT':
        return { node: expression, value: { ...FIXED, bytes: textIn(expression)?.length ?? FIXED.bytes } };
      case 'PARAMETER': {
        const bytes = this.#parameterBytes.get(String(expression.identifier)) ?? FIXED.bytes;
        return { node: expression, value: { ...FIXED, bytes } };
      }
      case 'COLUMN_REF':
        return { node: expression, value: columnValue(expression, scope) };
      case 'POSITIONAL_REFERENCE':
        return { node: expression, value: scope.relation.column };
      case 'STAR': {
        const { node } = this.#parts(expression, scope);
        return { node, value: { ...scope.relation.column, nodes: 1 } };
      }
      case 'COMPARISON':
      case 'CONJUNCTION':
      case 'BETWEEN':
        return this.#fixed(expression, scope);
      case 'OPERATOR':
        return PARTS.has(expression.type)
          ? this.#largest(expression, scope, 1)
          : this.#fixed(expression, scope);
      case 'CASE':
      case 'COLLATE':
        return this.#largest(expression, scope, 1);
      case 'LAMBDA':
        // Outside of a function that takes a lambda it is the arrow into JSON.
        return this.#largest(expression, scope, 2);
      case 'CAST':
        return this.#cast(expression, scope);
      case 'SUBQUERY':
        return this.#subquery(expression, scope);
      case 'WINDOW':
      case 'FUNCTION':
        return this.#call(expression, scope);
      default:
        throw refusal('An expression of this kind');
    }
  }

  #parts(expression: TreeNode, scope: Scope): { node: TreeNode; values: readonly Value[] } {
    const { class: kind, ...parts } = expression;
    const { node, values } = this.#within(parts, scope);
    return { node: { class: kind, ...(node as TreeNode) }, values };
  }

  #fixed(expression: TreeNode, scope: Scope): Sized<TreeNode> {
    const { node, values } = this.#parts(expression, scope);
    return { node, value: { ...FIXED, nodes: nodesOf(values) } };
  }

  #largest(expression: TreeNode, scope: Scope, factor: number): Sized<TreeNode> {
    const { node, values } = this.#parts(expression, scope);
    return { node, value: { ...multiplied(largest(values), factor), nodes: nodesOf(values) } };
  }

  #cast(cast: TreeNode, scope: Scope): Sized<TreeNode> {
    const { node, value: from } = this.#expression(nodeIn(cast, 'child'), scope);
    const type = typeShape(cast.cast_type);
    const shape = { leaves: type.leaves, depth: type.depth, nodes: from.nodes + 1 };
    if (FIXED_TYPES.has(String(nodeIn(cast, 'cast_type').id)))
      return { node: { ...cast, child: node }, value: { ...FIXED, nodes: shape.nodes } };
    // An object has all its fields, also where a text names none of them; a list is longer as a text.
    const factor = type.depth === 1 ? 1 : 4 * type.leaves;
    const value = { ...multiplied(from, factor), made: from.made * Math.max(factor, 4), ...shape };
    return this.#asking(value, {
      name: 'CAST',
      node: { ...cast, child: node },
      children: [node],
      withChildren: ([child]) => ({ ...cast, child }),
      bytes: (children) => times(whole(Math.max(factor, 4)), allBytes(children)),
    });
  }

  #subquery(subquery: TreeNode, scope: Scope): Sized<TreeNode> {
    const holder = nodeIn(subquery, 'subquery');
    const query = this.#query(nodeIn(holder, 'node'), scope);
    const child = this.#within(subquery.child, scope).node;
    const node = { ...subquery, subquery: { ...holder, node: query.node }, child };
    return { node, value: subquery.subquery_type === 'SCALAR' ? query.relation.column : FIXED };
  }

  #call(call: TreeNode, scope: Scope): Sized<TreeNode> {
    const size = sizeOf(call);
    if (size.kind === 'FILTER' || size.kind === 'TRANSFORM') return this.#lambdaCall(call, scope, size.kind);
    const { children: _, class: kind, ...rest } = call;
    const children = listIn(call, 'children').map((child) => this.#expression(child, scope));
    const others = this.#within(rest, scope);
    const node = { class: kind, ...(others.node as TreeNode), children: children.map((child) => child.node) };
    const values = children.map((child) => child.value);
    const nodes = nodesOf([...values, ...others.values]);
    // What a window gives may also stand beside its arguments.
    const results = kind === 'WINDOW' ? [...values, ...others.values] : values;
    const value = (sized: Value): Value => ({ ...shaped(call, sized, results), nodes });
    const large = (bytes: LargeCall['bytes']): LargeCall => ({
      name: spelled(call.function_name),
      node,
      children: node.children,
      withChildren: (others) => ({ ...node, children: others }),
      bytes,
    });
    switch (size.kind) {
      case 'FIXED':
        return { node, value: { ...FIXED, nodes } };
      case 'LARGEST':
        return this.#asking(
          value(multiplied(largest(results), size.times)),
          large((args) => times(whole(size.times), allBytes(args))),
        );
      case 'SUM': {
        const factor = size.times + (call.function_name === 'concat_ws' ? values.length : 0);
        return this.#asking(
          value(multiplied(total(values), factor)),
          large((args) => times(whole(factor), allBytes(args))),
        );
      }
      case 'REPEAT': {
        const count = wholeIn(node.children[1]);
        return this.#asking(
          count === null ? null : value(multiplied(first(values), Math.max(count, 0))),
          large(([part = NULL, copies = NULL]) => times(plus(bytesOf(part), whole(16)), countOf(copies))),
          value(first(values)),
        );
      }
      case 'PAD': {
        const width = wholeIn(node.children[1]);
        return this.#asking(
          width === null ? null : { ...FIXED, bytes: 4 * Math.max(width, 0), nodes },
          large(([, characters = NULL]) => times(whole(4), countOf(characters))),
        );
      }
      case 'FORMAT': {
        const format = readFormat(node.children[0]);
        const made = multiplied(total(values), format.insertions);
        return this.#asking(
          { ...made, bytes: made.bytes + format.bytes, nodes },
          large((args) => plus(whole(format.bytes), times(whole(format.insertions), allBytes(args)))),
        );
      }
      case 'REPLACE':
        return this.#asking(
          replaced(values, node.children),
          large(([within = NULL, part = NULL, by = NULL]) => {
            const longer = atLeast(minus(bytesOf(by), bytesOf(part)), 0);
            return plus(bytesOf(within), times(occurrences(within, part), longer));
          }),
        );
      case 'REGEXP_REPLACE':
        return this.#asking(
          replacedByPattern(values, node.children),
          large(([within = NULL, pattern = NULL, by = NULL, options]) => {
            const isPlain = options === undefined || /^g?$/.test(textIn(options) ?? 'x');
            const found = isPlain ? matches(within, pattern) : plus(bytesOf(within), whole(1));
            const inserted = plus(times(found, bytesOf(by)), times(bytesOf(within), backslashes(by)));
            return plus(bytesOf(within), inserted);
          }),
        );
      case 'SERIES': {
        const items = seriesLength(node.children);
        return this.#asking(
          items === null ? null : value({ ...FIXED, bytes: 8 * items }),
          large(([from = NULL, to, step]) =>
            times(
              whole(8),
              to === undefined ? itemsBetween(whole(0), from, undefined) : itemsBetween(from, to, step),
            ),
          ),
          value(FIXED),
        );
      }
      case 'COLLECT':
        return this.#collecting(call, node, value(total(values)));
      case 'TOP':
        return this.#top(call, node, values, value(largest(results)));
      case 'FROM_JSON': {
        const shape = structureShape(node.children[1]);
        const factor = 8 * shape.leaves;
        return this.#asking(
          { ...multiplied(first(values), factor), ...shape, nodes },
          large(([json = NULL]) => times(whole(factor), bytesOf(json))),
        );
      }
    }
  }

  /** The call, asking for room where it may make more than is free. `null` is for what can be told from no argument. */
  #asking(value: Value | null, call: LargeCall, shape: Value = value ?? FIXED): Sized<TreeNode> {
    if (value !== null && value.made <= FREE.made && value.cells <= FREE.cells && value.bytes <= FREE.bytes)
      return { node: call.node, value };
    this.#questions += 1;
    const { leaves, depth, nodes } = shape;
    return { node: askingCall(call, this.#limit), value: { ...MADE, leaves, depth, nodes } };
  }

  #collecting(call: TreeNode, node: TreeNode, shape: Value): Sized<TreeNode> {
    this.#questions += 1;
    const name = spelled(call.function_name);
    const value = { ...shape, made: 1, cells: 0, bytes: 0, nodes: 2 * shape.nodes };
    // How much of it differs is known afterwards alone.
    if (call.distinct === true) return { node: askingResult(name, node, this.#limit), value };
    const bytes = plus(allBytes(listIn(node, 'children')), whole(24));
    return { node: askingAggregate(name, node, bytes, this.#limit), value };
  }

  #top(call: TreeNode, node: TreeNode, values: readonly Value[], value: Value): Sized<TreeNode> {
    const name = spelled(call.function_name);
    const takesNumber = name === 'approx_top_k';
    if (!takesNumber && values.length > (name.startsWith('arg_') ? 2 : 1))
      throw refusal(`${name} with a number of rows`);
    if (!takesNumber) return { node, value };
    const number = wholeIn(listIn(node, 'children')[1]);
    if (number === null || number > 1_000)
      throw refusal('approx_top_k with a number that is no constant up to 1,000');
    this.#questions += 1;
    return { node: askingResult(name, node, this.#limit), value: { ...value, made: 1, cells: 0, bytes: 0 } };
  }

  #lambdaCall(call: TreeNode, scope: Scope, kind: 'FILTER' | 'TRANSFORM'): Sized<TreeNode> {
    const [list = NULL, lambda = NULL, ...others] = listIn(call, 'children');
    if (lambda.class !== 'LAMBDA' || others.length > 0)
      throw refusal(`${spelled(call.function_name)} without a lambda`);
    const items = this.#expression(list, scope);
    const isFilter = kind === 'FILTER';
    // The one that arrays_zip becomes: each item takes another item of each list.
    if (!isFilter && !isZip(list, lambda)) throw refusal('list_transform');
    const column = isFilter
      ? larger(scope.relation.column, { ...items.value, nodes: 1 })
      : scope.relation.column;
    const body = this.#expression(nodeIn(lambda, 'expr'), {
      ...scope,
      relation: { ...scope.relation, column },
    });
    const node = { ...call, children: [items.node, { ...lambda, expr: body.node }] };
    const nodes = items.value.nodes + body.value.nodes + 1;
    if (isFilter) return { node, value: { ...items.value, nodes } };
    return { node, value: { ...multiplied(body.value, 2), depth: body.value.depth + 1, nodes } };
  }
}

const NULL: TreeNode = {
  ...{ class: 'CONSTANT', type: 'VALUE_CONSTANT', alias: '', query_location: 0 },
  value: { type: { id: 'NULL', type_info: null }, is_null: true },
};

const TRUE: TreeNode = {
  ...{ class: 'CAST', type: 'OPERATOR_CAST', alias: '', query_location: 0 },
  child: {
    ...{ class: 'CONSTANT', type: 'VALUE_CONSTANT', alias: '', query_location: 0 },
    value: { type: { id: 'VARCHAR', type_info: null }, is_null: false, value: 't' },
  },
  cast_type: { id: 'BOOLEAN', type_info: null },
  try_cast: false,
};

/** Operators that give one of their operands, or a part of it. */
const PARTS: ReadonlySet<unknown> = new Set([
  ...[
    'OPERATOR_COALESCE',
    'ARRAY_EXTRACT',
    'ARRAY_SLICE',
    'STRUCT_EXTRACT',
    'OPERATOR_NULLIF',
    'OPERATOR_TRY',
  ],
]);

const FIXED_TYPES: ReadonlySet<string> = new Set([
  ...['BOOLEAN', 'TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT', 'UTINYINT', 'USMALLINT', 'UINTEGER'],
  ...['UBIGINT', 'UHUGEINT', 'FLOAT', 'DOUBLE', 'DECIMAL', 'DATE', 'TIME', 'TIMESTAMP', 'INTERVAL', 'UUID'],
  ...['TIME WITH TIME ZONE', 'TIMESTAMP WITH TIME ZONE', 'TIMESTAMP_S', 'TIMESTAMP_MS', 'TIMESTAMP_NS'],
]);

function refusal(what: string): WarehouseError {
  return new WarehouseError('STATEMENT_FAILED', `${what} cannot be used here.`);
}

function nodeIn(node: TreeNode, key: string): TreeNode {
  const inner = node[key];
  return isObject(inner) ? inner : {};
}

function listIn(node: TreeNode, key: string): readonly TreeNode[] {
  const list = node[key];
  return Array.isArray(list) ? list.filter(isObject) : [];
}

function spelled(name: unknown): string {
  return asciiLowerCase(String(name));
}

function sizeOf(call: TreeNode): FunctionSize {
  const name = spelled(call.function_name);
  const size = duckDbFunctions.get(name);
  if (size === undefined) throw refusal(`The function ${name}`);
  return size;
}

function larger(one: Value, other: Value): Value {
  return {
    made: Math.max(one.made, other.made),
    cells: Math.max(one.cells, other.cells),
    bytes: Math.max(one.bytes, other.bytes),
    leaves: Math.max(one.leaves, other.leaves),
    depth: Math.max(one.depth, other.depth),
    nodes: Math.max(one.nodes, other.nodes),
  };
}

function largest(values: readonly Value[]): Value {
  return values.reduce(larger, { ...FIXED, bytes: 0 });
}

function first(values: readonly Value[]): Value {
  return values[0] ?? FIXED;
}

function total(values: readonly Value[]): Value {
  const sum = (pick: (value: Value) => number) => values.reduce((all, value) => all + pick(value), 0);
  return {
    made: sum(({ made }) => made),
    cells: sum(({ cells }) => cells),
    bytes: sum(({ bytes }) => bytes),
    leaves: Math.max(
      sum(({ leaves }) => leaves),
      1,
    ),
    depth: largest(values).depth,
    nodes: nodesOf(values),
  };
}

function multiplied(value: Value, factor: number): Value {
  return { ...value, made: value.made * factor, cells: value.cells * factor, bytes: value.bytes * factor };
}

function nodesOf(values: readonly Value[]): number {
  return values.reduce((sum, { nodes }) => sum + nodes, 1);
}

/** The type of a result: a list or an object of its arguments, or that of one of them. */
function shaped(call: TreeNode, value: Value, from: readonly Value[]): Value {
  if (nestingFunctions.has(spelled(call.function_name)))
    return { ...value, leaves: total(from).leaves, depth: largest(from).depth + 1 };
  return { ...value, leaves: largest(from).leaves, depth: largest(from).depth };
}

function widest(one: Relation, other: Relation): Relation {
  return {
    column: larger(one.column, other.column),
    tables: Math.max(one.tables, other.tables),
    columns: Math.max(one.columns, other.columns),
  };
}

function checkedRelation(relation: Relation): Relation {
  if (relation.tables > MOST.tables || relation.columns > MOST.columns)
    throw refusal(`A query that has the same columns more than ${MOST.tables} times, or 10,000 of them,`);
  return relation;
}

function columnValue({ column_names: names }: TreeNode, scope: Scope): Value {
  const [name, ...others] = Array.isArray(names) ? names.map(spelled) : [];
  const { column, columns, tables } = scope.relation;
  const plain = { ...column, nodes: 1 };
  if (name === undefined || others.length > 0) return plain;
  const named = scope.aliases.get(name);
  if (scope.rows.has(name)) {
    const width = Math.max(columns + tables, 1);
    const row = {
      ...multiplied(column, width),
      leaves: column.leaves * width,
      depth: column.depth + 1,
      nodes: 1,
    };
    return named === undefined ? row : larger(named, row);
  }
  return named === undefined ? plain : larger(named, plain);
}

function textIn(node: TreeNode | undefined): string | null {
  const value = node?.class === 'CONSTANT' ? nodeIn(node, 'value').value : undefined;
  return typeof value === 'string' ? value : null;
}

/** A whole number, also one that is cast to another type of numbers. */
function wholeIn(node: TreeNode | undefined): number | null {
  if (node?.class === 'CAST' && node.try_cast === false) {
    const isWhole = /^(?:TINYINT|SMALLINT|INTEGER|BIGINT)$/.test(String(nodeIn(node, 'cast_type').id));
    return isWhole ? wholeIn(nodeIn(node, 'child')) : null;
  }
  if (node?.class === 'FUNCTION' && node.function_name === '-' && listIn(node, 'children').length === 1) {
    const value = wholeIn(listIn(node, 'children')[0]);
    return value === null ? null : -value;
  }
  const constant = node?.class === 'CONSTANT' ? nodeIn(node, 'value') : {};
  const isWhole = /^(?:TINYINT|SMALLINT|INTEGER|BIGINT)$/.test(String(nodeIn(constant, 'type').id));
  return isWhole && typeof constant.value === 'number' ? constant.value : null;
}

/** What a format makes beside its arguments: itself, and the widths that it names. */
function readFormat(node: TreeNode | undefined): { bytes: number; insertions: number } {
  const format = textIn(node);
  if (format === null || /%[^a-zA-Z%]*\*/.test(format))
    throw refusal('printf with a format that is no constant text, or with widths in its arguments,');
  const insertions = Math.max((format.match(/%/g) ?? []).length, 1);
  const widths = (format.match(/\d+/g) ?? []).reduce((sum, digits) => sum + Number(digits), 0);
  // The longest number without an exponent has some 310 digits.
  const bytes = Math.min(
    format.length + widths + (/%[^a-zA-Z%]*[fF]/.test(format) ? 320 * insertions : 0),
    MAX_WHOLE,
  );
  return { bytes, insertions };
}

const MAX_WHOLE = 2 ** 31 - 1;

function replaced(values: readonly Value[], [, from, to]: readonly TreeNode[]): Value | null {
  const [part, by] = [textIn(from), textIn(to)];
  if (part === null || by === null) return null;
  const factor = Math.max(Buffer.byteLength(by) / Math.max(Buffer.byteLength(part), 1), 1);
  return { ...multiplied(first(values), factor), leaves: 1, depth: 1, nodes: nodesOf(values) };
}

function replacedByPattern(values: readonly Value[], [, , to, options]: readonly TreeNode[]): Value | null {
  const [by, flags] = [textIn(to), options === undefined ? '' : textIn(options)];
  if (by === null || flags === null) return null;
  const repeated = (by.match(/\\/g) ?? []).length;
  const inserted = flags.includes('g') ? Buffer.byteLength(by) : 0;
  const made = multiplied(first(values), 1 + repeated + inserted);
  return { ...made, bytes: made.bytes + Buffer.byteLength(by), leaves: 1, depth: 1, nodes: nodesOf(values) };
}

function seriesLength(children: readonly TreeNode[]): number | null {
  const [one, other, step] = children.map(wholeIn);
  if (one === undefined || one === null) return null;
  if (other === undefined) return Math.abs(one) + 1;
  if (other === null || step === null) return null;
  return Math.abs(other - one) / Math.max(Math.abs(step ?? 1), 1) + 1;
}

/** The parts and the depth of a type that a value is cast to. */
function typeShape(type: unknown): { leaves: number; depth: number } {
  const inner = innerTypes(isObject(type) ? type.type_info : null).map(typeShape);
  const info = isObject(type) && isObject(type.type_info) ? type.type_info : {};
  const size = info.type === 'ARRAY_TYPE_INFO' && typeof info.size === 'number' ? info.size : 1;
  const leaves = inner.reduce((sum, shape) => sum + shape.leaves, 0);
  return {
    leaves: Math.max(leaves * size, 1),
    depth: inner.reduce((deepest, shape) => Math.max(deepest, shape.depth), 0) + 1,
  };
}

function innerTypes(info: unknown): unknown[] {
  if (Array.isArray(info)) return info.flatMap(innerTypes);
  if (!isObject(info)) return [];
  if (typeof info.id === 'string') return [info];
  return Object.values(info).flatMap(innerTypes);
}

/** The parts and the depth of a structure, as from_json takes it: a constant text of JSON. */
function structureShape(node: TreeNode | undefined): { leaves: number; depth: number } {
  const structure = textIn(node);
  if (structure === null) throw refusal('from_json with a structure that is no constant text');
  let depth = 0;
  let deepest = 0;
  for (const character of structure) {
    if (character === '[' || character === '{') depth += 1;
    if (character === ']' || character === '}') depth -= 1;
    deepest = Math.max(deepest, depth);
  }
  if (deepest >= MOST.depth)
    throw refusal(`from_json with a structure that is nested ${MOST.depth} deep or more`);
  return { leaves: structure.split(/[,:[{]/).length, depth: deepest + 1 };
}

function countEntries(pivot: TreeNode): number {
  const aggregates = Math.max(listIn(pivot, 'aggregates').length, 1);
  const entries = listIn(pivot, 'pivots').map((each) => Math.max(listIn(each, 'entries').length, 1));
  return entries.reduce((product, count) => product * count, aggregates);
}

/** Whether a lambda takes from each list the item at its own place. */
function isZip(list: TreeNode, lambda: TreeNode): boolean {
  const parameter = nodeIn(lambda, 'lhs').column_names;
  const name = Array.isArray(parameter) && parameter.length === 1 ? parameter[0] : null;
  const body = nodeIn(lambda, 'expr');
  if (list.class !== 'FUNCTION' || list.function_name !== 'range' || name === null) return false;
  if (body.class !== 'FUNCTION' || body.function_name !== 'struct_pack') return false;
  return listIn(body, 'children').every((part) => {
    const [, index] = listIn(part, 'children');
    const [place, one] = index === undefined ? [] : listIn(index, 'children');
    const names = place?.column_names;
    return (
      part.type === 'ARRAY_EXTRACT' &&
      index?.function_name === '+' &&
      Array.isArray(names) &&
      names.length === 1 &&
      names[0] === name &&
      wholeIn(one) === 1
    );
  });
}
