import { asciiLowerCase } from '../../shared/ascii-case.ts';
import { isObject } from '../../shared/json.ts';
import { readFormat, replaced, replacedByPattern, seriesLength, textIn, wholeIn } from './argument-size.ts';
import { timeOfCall, timeOfKeys } from './call-time.ts';
import type { StatementParameters } from './error.ts';
import { duckDbFunctions, type FunctionSize, nestingFunctions } from './functions.ts';
import { readingOnce } from './like.ts';
import {
  beside,
  findColumn,
  givenAgain,
  growing,
  isStable,
  type NamedValue,
  NO_ROWS,
  type Relation,
  renamed,
  UNKNOWN_TABLE,
  widest,
} from './relation-size.ts';
import { COPY_BYTES, ROOM_BYTES } from './room.ts';
import { type Asker, askingAggregate, askingCall, askingResult, type LargeCall } from './room-call.ts';
import { sizeRefusal } from './size-refusal.ts';
import { smallResult, withSmallColumns } from './small-values.ts';
import { listIn, nodeIn, type TreeNode } from './tree.ts';
import {
  allBytes,
  atLeast,
  atMost,
  backslashes,
  castTo,
  functionCall,
  itemsBetween,
  matches,
  measureBytes,
  measureCount,
  minus,
  NULL,
  occurrences,
  orZero,
  plus,
  TRUE,
  times,
  whole,
} from './tree-nodes.ts';
import { holdsKeys, MAX_DEPTH, structureShape, typeShape } from './type-size.ts';
import {
  countNodes,
  FIXED,
  first,
  isGivenAgain,
  larger,
  largest,
  MADE,
  multiplied,
  total,
  type Value,
} from './value-size.ts';

/** A statement that asks for room wherever it may make large texts or lists. */
export interface SizedStatement {
  readonly statement: TreeNode;
  /** Whether it differs from the statement that was sized. */
  readonly isChanged: boolean;
  /** Columns that are called by their expression, which has changed. */
  readonly unnamed: readonly UnnamedColumn[];
  /** Whether its rows may be larger than those of its tables. */
  readonly hasLargeRows: boolean;
}

export interface UnnamedColumn {
  /** The expression by whose text the column is called. */
  readonly original: TreeNode;
  setName(name: string): void;
}

/** What is known of a statement before it is sized. */
export interface StatementToSize {
  readonly parameters: StatementParameters;
  /** The number of the statement, for its checks. */
  readonly number: number;
  /** The rows of its tables, by the three parts of their names in lower case with dots between them. */
  readonly tables: ReadonlyMap<string, Relation>;
}

/**
 * Finds how large the texts and lists of a statement can get and how long its calls can take, and has it ask for room or
 * time before each call that may make much more than the cells of its tables hold, or take longer than reading them does.
 * @throws WarehouseError STATEMENT_FAILED for what no question helps against: types, columns and expressions that multiply.
 */
export function sizeStatement(statement: TreeNode, known: StatementToSize): SizedStatement {
  return new Sizer(known).statement(statement);
}

interface Scope {
  readonly ctes: ReadonlyMap<string, Relation>;
  readonly relation: Relation;
  /** The sources by the names that stand for a whole row of each. */
  readonly rows: ReadonlyMap<string, Relation>;
  /** The columns that the same SELECT has named. */
  readonly aliases: ReadonlyMap<string, Value>;
  /** Whether it is within a lambda, whose parameters hide the columns of the same names. */
  readonly isLambda: boolean;
}

interface Sized<Node> {
  readonly node: Node;
  readonly value: Value;
}

interface Source {
  readonly node: TreeNode;
  readonly relation: Relation;
  readonly rows: ReadonlyMap<string, Relation>;
}

/** Results up to this size need no check. */
const FREE = { made: 1, cells: 32, bytes: 1_024 };

/** How many cells there may be in what was copied where there was room for it. */
const COPIED_CELLS = 8;

const MAX = { leaves: 4_096, nodes: 50_000, tables: 64, columns: 10_000, rounds: 100 };

class Sizer {
  readonly #known: StatementToSize;
  /** The limits that questions have: what all of them have room for, divided by them. */
  readonly #limits = { room: emptyLimit(), copy: emptyLimit() };
  readonly #unnamed: UnnamedColumn[] = [];
  #changes = 0;
  /** How many results may be as large as what a call that asked for room makes. */
  #large = 0;
  /** How many results may be as large as all that was given. */
  #copies = 0;
  /** How often a round of a recursive query was sized. */
  #rounds = 0;

  constructor(known: StatementToSize) {
    this.#known = known;
  }

  statement(statement: TreeNode): SizedStatement {
    const scope: Scope = {
      ...{ ctes: new Map(), relation: NO_ROWS, rows: new Map(), aliases: new Map(), isLambda: false },
    };
    const { node, relation } = this.#query(nodeIn(statement, 'node'), scope);
    this.#limits.room.value = Math.floor(ROOM_BYTES / Math.max(this.#large, 1));
    this.#limits.copy.value = Math.floor(COPY_BYTES / Math.max(this.#copies, 1));
    return {
      statement: { ...statement, node },
      isChanged: this.#changes > 0,
      unnamed: this.#unnamed,
      hasLargeRows: relation.column.made > 0 || isGivenAgain(relation.column),
    };
  }

  #query(query: TreeNode, outer: Scope): { node: TreeNode; relation: Relation } {
    const { cteMap, scope } = this.#ctes(query, outer);
    if (query.type === 'SELECT_NODE') return this.#select({ ...query, cte_map: cteMap }, scope);
    if (query.type !== 'SET_OPERATION_NODE') throw sizeRefusal('A query of this kind');
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
      const { node, relation } = this.#cte(nodeIn(holder, 'node'), cte.aliases, { ...outer, ctes });
      ctes.set(spelled(entry.key), relation);
      return { ...entry, value: { ...cte, query: { ...holder, node } } };
    });
    return { cteMap: { ...map, map: entries }, scope: { ...outer, ctes } };
  }

  #cte(query: TreeNode, names: unknown, outer: Scope): { node: TreeNode; relation: Relation } {
    if (query.type !== 'RECURSIVE_CTE_NODE') {
      const { node, relation } = this.#query(query, outer);
      return { node, relation: renamed(relation, names) };
    }
    const { cteMap, scope } = this.#ctes(query, outer);
    const left = this.#query(nodeIn(query, 'left'), scope);
    const start = givenAgain(renamed(left.relation, names));
    const { node, given, made } = this.#round(query, start, scope);
    const { leaves, depth } = made.column;
    if (leaves > given.column.leaves || depth > given.column.depth)
      throw sizeRefusal('A recursive query that puts its own rows into lists or objects');
    return {
      node: { ...query, cte_map: cteMap, left: left.node, right: node },
      relation: widest(given, made),
    };
  }

  /**
   * Sizes a round of a recursive query by what the one before it made, until it makes no more than it was given. A column
   * that would still grow then is one to which each round adds, and asks for room where it does.
   */
  #round(
    query: TreeNode,
    start: Relation,
    scope: Scope,
  ): { node: TreeNode; given: Relation; made: Relation } {
    const size = (given: Relation) => {
      this.#rounds += 1;
      const ctes = new Map([...scope.ctes, [spelled(query.cte_name), given] as const]);
      const { node, relation } = this.#query(nodeIn(query, 'right'), { ...scope, ctes });
      return { node, given, made: relation };
    };
    const growAll = (given: Relation) => growing(given, null);
    const steps: readonly ((given: Relation, made: Relation) => Relation)[] = [
      (given, made) => givenAgain(widest(given, made)),
      growing,
      growAll,
    ];
    let given = start;
    for (const step of steps) {
      // Rounds within rounds would take ever longer to size.
      if (this.#rounds > MAX.rounds && step !== growAll) continue;
      const undo = this.#counts();
      const round = size(given);
      if (isStable(given, round.made)) return round;
      undo();
      given = step(given, round.made);
    }
    return size(given);
  }

  /** Remembers the counts, and returns a function that restores them. */
  #counts(): () => void {
    const [changes, large, copies, unnamed] = [
      this.#changes,
      this.#large,
      this.#copies,
      this.#unnamed.length,
    ];
    return () => {
      this.#changes = changes;
      this.#large = large;
      this.#copies = copies;
      this.#unnamed.length = unnamed;
    };
  }

  #select(select: TreeNode, outer: Scope): { node: TreeNode; relation: Relation } {
    const source = this.#source(nodeIn(select, 'from_table'), outer);
    // Each item of a list that is unnested stands beside all other columns.
    const from = holdsUnnest(select.select_list) ? this.#givenBeside(source) : source;
    const rows = new Map([...givenAgainIn(outer.rows), ...from.rows]);
    const aliases = new Map<string, Value>();
    const column = larger(from.relation.column, givenAgain(outer.relation).column);
    const scope: Scope = { ...outer, relation: { ...from.relation, column }, rows, aliases, isLambda: false };
    let relation = NO_ROWS;
    const named: NamedValue[] = [];
    const selected = listIn(select, 'select_list').map((item) => {
      const changes = this.#changes;
      const { node, value } = this.#expression(item, scope);
      const isStar = item.class === 'STAR';
      if (item.alias !== '') aliases.set(spelled(item.alias), value);
      const columns = isStar
        ? listColumns(item, from)
        : [{ name: readName(item), value: { ...value, nodes: 1 } }];
      named.push(...(columns ?? []));
      relation = checkedRelation({
        column: larger(relation.column, { ...value, nodes: 1 }),
        named: columns === null || relation.named === null ? null : named,
        tables: relation.tables + (isStar ? from.relation.tables : 0),
        columns: relation.columns + (isStar ? from.relation.columns : value.leaves),
      });
      return item.alias === '' && !isStar && this.#changes > changes ? this.#named(item, node) : node;
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
    const called = (name: unknown, inner: Relation) => {
      const relation = renamed(inner, source.column_name_alias);
      return { relation, rows: new Map([[spelled(source.alias === '' ? name : source.alias), relation]]) };
    };
    switch (source.type) {
      case 'EMPTY':
        return { node: source, relation: NO_ROWS, rows: new Map() };
      case 'BASE_TABLE': {
        const isBare = source.catalog_name === '' && source.schema_name === '';
        const cte = isBare ? scope.ctes.get(spelled(source.table_name)) : undefined;
        const name = [source.catalog_name, source.schema_name, source.table_name].map(spelled).join('.');
        const table = this.#known.tables.get(name) ?? UNKNOWN_TABLE;
        return { node: source, ...called(source.table_name, cte ?? table) };
      }
      case 'SUBQUERY': {
        const holder = nodeIn(source, 'subquery');
        const { node, relation } = this.#query(nodeIn(holder, 'node'), scope);
        return { node: { ...source, subquery: { ...holder, node } }, ...called('', relation) };
      }
      case 'JOIN':
        return this.#join(source, scope);
      case 'TABLE_FUNCTION': {
        // As a table a series is made a few rows at a time.
        const call = nodeIn(source, 'function');
        const { node: children, values } = this.#within(call.children, scope);
        const items = call.function_name === 'unnest' ? toItem(largest(values)) : FIXED;
        const column = { ...items, nodes: 1 };
        const named = [{ name: spelled(call.function_name), value: column }];
        const relation = { column, named, tables: 0, columns: column.leaves };
        const node = { ...source, function: { ...call, children } };
        return { node, ...called(call.function_name, relation) };
      }
      case 'EXPRESSION_LIST': {
        const { node, values } = this.#within(source.values, scope);
        const [row] = Array.isArray(source.values) ? source.values : [];
        const columns = Array.isArray(row) ? row.length : 1;
        const column = { ...largest(values), nodes: 1 };
        const relation = { column, named: null, tables: 0, columns };
        return { node: { ...source, values: node }, ...called('', relation) };
      }
      case 'PIVOT': {
        const { source: from, ...rest } = source;
        const inner = this.#source(isObject(from) ? from : {}, scope);
        const collects = listIn(source, 'aggregates').find(
          (call) => findFunctionSize(call).kind === 'COLLECT',
        );
        if (collects !== undefined) throw sizeRefusal(`${collects.function_name} within PIVOT`);
        const { node, values } = this.#within(rest, {
          ...scope,
          relation: beside(scope.relation, inner.relation),
        });
        const relation = checkedRelation({
          column: larger(inner.relation.column, { ...largest(values), nodes: 1 }),
          named: null,
          tables: inner.relation.tables,
          columns: inner.relation.columns + countEntries(source),
        });
        return { node: { ...(node as TreeNode), source: inner.node }, ...called('', relation) };
      }
      default:
        throw sizeRefusal('A source of this kind');
    }
  }

  /**
   * A source whose rows may each come more than once. To find the size of a list takes as long as to copy it, so that none
   * of its rows may hold a large one.
   */
  #givenBeside({ node, relation, rows }: Source): Source {
    const given = { relation: givenAgain(relation), rows: givenAgainIn(rows) };
    const isNested = (value: Value) => value.depth > 1 && isLarge(value);
    const nested = relation.named?.filter(({ value }) => isNested(value)) ?? [];
    const isNameless =
      relation.named === null ? isNested(relation.column) : nested.some(({ name }) => name === '');
    if (isNameless) throw sizeRefusal('A list or an object without a name beside another source');
    if (nested.length === 0 || node.type === 'JOIN') return { node, ...given };
    this.#changes += 1;
    const names = nested.map(({ name }) => name);
    return { node: withSmallColumns(node, [...rows.keys()][0] ?? '', names), ...given };
  }

  #join(join: TreeNode, scope: Scope): Source {
    const left = this.#givenBeside(this.#source(nodeIn(join, 'left'), scope));
    const afterLeft = { ...scope, relation: beside(scope.relation, left.relation) };
    const right = this.#givenBeside(this.#source(nodeIn(join, 'right'), afterLeft));
    const relation = checkedRelation({
      ...beside(left.relation, right.relation),
      tables: left.relation.tables + right.relation.tables,
      columns: left.relation.columns + right.relation.columns,
    });
    const rows = new Map([...left.rows, ...right.rows]);
    const both = {
      ...scope,
      relation: beside(scope.relation, relation),
      rows: new Map([...scope.rows, ...rows]),
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
    if (leaves > MAX.leaves)
      throw sizeRefusal(`An object or a type of more than ${MAX.leaves.toLocaleString('en')} parts`);
    if (depth > MAX_DEPTH) throw sizeRefusal(`A value that is nested more than ${MAX_DEPTH} deep`);
    if (nodes > MAX.nodes) throw sizeRefusal('An expression that repeats others too often');
    if (made > 0 && expression.class !== 'COLUMN_REF') this.#large += 1;
    return sized;
  }

  #sized(expression: TreeNode, scope: Scope): Sized<TreeNode> {
    switch (expression.class) {
      case 'CONSTANT':
        return { node: expression, value: { ...FIXED, bytes: textIn(expression)?.length ?? FIXED.bytes } };
      case 'PARAMETER': {
        const { parameters } = this.#known;
        const name = String(expression.identifier);
        const bytes = Object.hasOwn(parameters, name) ? Buffer.byteLength(String(parameters[name])) : 0;
        return { node: expression, value: { ...FIXED, bytes: Math.max(bytes, FIXED.bytes) } };
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
      case 'OPERATOR': {
        if (!PARTS.has(expression.type)) return this.#fixed(expression, scope);
        const { node, value } = this.#largest(expression, scope);
        return { node, value: /_EXTRACT$/.test(String(expression.type)) ? toItem(value) : value };
      }
      case 'CASE':
      case 'COLLATE':
        return this.#largest(expression, scope);
      case 'LAMBDA':
        // Outside of a function that takes a lambda it is the arrow into JSON.
        return this.#path(expression, scope);
      case 'CAST':
        return this.#cast(expression, scope);
      case 'SUBQUERY':
        return this.#subquery(expression, scope);
      case 'WINDOW':
      case 'FUNCTION':
        return this.#call(expression, scope);
      default:
        throw sizeRefusal('An expression of this kind');
    }
  }

  #parts(expression: TreeNode, scope: Scope): { node: TreeNode; values: readonly Value[] } {
    const { class: kind, ...parts } = expression;
    const { node, values } = this.#within(parts, scope);
    return { node: { class: kind, ...(node as TreeNode) }, values };
  }

  #fixed(expression: TreeNode, scope: Scope): Sized<TreeNode> {
    const { node, values } = this.#parts(expression, scope);
    return { node, value: { ...FIXED, nodes: countNodes(values) } };
  }

  #largest(expression: TreeNode, scope: Scope): Sized<TreeNode> {
    const { node, values } = this.#parts(expression, scope);
    return { node, value: { ...largest(values), nodes: countNodes(values) } };
  }

  #path(arrow: TreeNode, scope: Scope): Sized<TreeNode> {
    const { node: child, value } = this.#expression(nodeIn(arrow, 'lhs'), scope);
    const path = nodeIn(arrow, 'expr');
    if (!/^(?!.*(?:\.\.|\*\*))/s.test(textIn(path) ?? '..'))
      throw sizeRefusal('A path into JSON that is no constant, or finds parts at any depth,');
    return this.#asking(multiplied(value, 2), {
      name: 'A path into JSON',
      node: { ...arrow, lhs: child },
      children: [child],
      withChildren: ([lhs]) => ({ ...arrow, lhs }),
      bytes: (children) => times(whole(2), allBytes(children)),
      time: null,
    });
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
      time: holdsKeys(cast.cast_type) ? timeOfKeys : null,
    });
  }

  #subquery(subquery: TreeNode, scope: Scope): Sized<TreeNode> {
    const holder = nodeIn(subquery, 'subquery');
    const query = this.#query(nodeIn(holder, 'node'), scope);
    const child = this.#within(subquery.child, scope).node;
    const of = (inner: TreeNode) => ({ ...subquery, subquery: { ...holder, node: inner }, child });
    if (subquery.subquery_type !== 'SCALAR') return { node: of(query.node), value: FIXED };
    const value = givenAgain(query.relation).column;
    if (value.depth === 1 || !isLarge(value)) return { node: of(query.node), value };
    this.#changes += 1;
    return { node: of(smallResult(query.node)), value };
  }

  #call(written: TreeNode, scope: Scope): Sized<TreeNode> {
    const readText = (node: TreeNode) => this.#readText(node);
    const call = withWholeWidth(written);
    const read = readingOnce(call, readText);
    if (read !== null) {
      this.#changes += 1;
      return this.#expression(read, scope);
    }
    const size = findFunctionSize(call);
    if (size.kind === 'FILTER' || size.kind === 'TRANSFORM') return this.#lambdaCall(call, scope, size.kind);
    const { children: _, class: kind, ...rest } = call;
    const children = listIn(call, 'children').map((child) => this.#expression(child, scope));
    const others = this.#within(rest, scope);
    const node = { class: kind, ...(others.node as TreeNode), children: children.map((child) => child.node) };
    const values = children.map((child) => child.value);
    const args = children.map(({ node, value }) => ({
      isShort: value.made + value.cells === 0 && value.bytes <= FREE.bytes,
      isCell: value.made === 0 && value.cells <= FREE.cells && !value.isMany,
      text: readText(node),
    }));
    const time = timeOfCall(spelled(call.function_name), node.children, args);
    const nodes = countNodes([...values, ...others.values]);
    // The value of a window may come from other expressions than its arguments, such as the default of lag.
    const results = kind === 'WINDOW' ? [...values, ...others.values] : values;
    const value = (sized: Value): Value => {
      const isMany = sized.isMany || kind === 'WINDOW';
      return { ...shaped(call, { ...sized, isMany }, results), nodes };
    };
    const large = (bytes: LargeCall['bytes']): LargeCall => ({
      name: OPERATOR_NAMES.get(spelled(call.function_name)) ?? spelled(call.function_name),
      node,
      children: node.children,
      withChildren: (others) => ({ ...node, children: others }),
      bytes,
      time,
    });
    switch (size.kind) {
      case 'FIXED':
        return this.#asking({ ...FIXED, nodes }, large(allBytes));
      case 'PART': {
        const part = value(largest(results));
        return { node, value: ITEMS.has(spelled(call.function_name)) ? toItem(part) : part };
      }
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
          large(([part = NULL, copies = NULL]) =>
            times(plus(measureBytes(part), whole(16)), measureCount(copies)),
          ),
          value(first(values)),
        );
      }
      case 'PAD': {
        const width = wholeIn(node.children[1]);
        return this.#asking(
          width === null ? null : { ...FIXED, bytes: 4 * Math.max(width, 0), nodes },
          // A constant width would be asked for once, and not for each row.
          large(([padded = NULL, characters = NULL]) =>
            plus(times(whole(4), measureCount(characters)), atMost(measureBytes(padded), 1)),
          ),
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
            const longer = atLeast(minus(measureBytes(by), measureBytes(part)), 0);
            return plus(measureBytes(within), times(occurrences(within, part), longer));
          }),
        );
      case 'REGEXP_REPLACE':
        return this.#asking(
          replacedByPattern(values, node.children),
          large(([within = NULL, pattern = NULL, by = NULL, options]) => {
            const isPlain = options === undefined || /^g?$/.test(textIn(options) ?? 'x');
            const found = isPlain ? matches(within, pattern) : plus(measureBytes(within), whole(1));
            const inserted = plus(
              times(found, measureBytes(by)),
              times(measureBytes(within), backslashes(by)),
            );
            return plus(measureBytes(within), inserted);
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
          large(([json = NULL]) => times(whole(factor), measureBytes(json))),
        );
      }
    }
  }

  /** Adds the checks that a call needs. A null value means that the arguments do not show the size. */
  #asking(value: Value | null, call: LargeCall, shape: Value = value ?? FIXED): Sized<TreeNode> {
    const isFree =
      value !== null && value.made <= FREE.made && value.cells <= FREE.cells && value.bytes <= FREE.bytes;
    const isCopy = isFree && isGivenAgain(value);
    if (isFree && !isCopy && call.time === null) return { node: call.node, value };
    this.#changes += 1;
    if (isFree && !isCopy) return { node: askingCall(call, this.#asker(null)), value };
    if (isFree) {
      this.#copies += 1;
      const copy = { ...value, made: 0, cells: COPIED_CELLS, isMany: false };
      return { node: askingCall(call, this.#asker(this.#limits.copy)), value: copy };
    }
    const { leaves, depth, nodes } = shape;
    const node = askingCall(call, this.#asker(this.#limits.room));
    return { node, value: { ...MADE, leaves, depth, nodes } };
  }

  #asker(limit: unknown): Asker {
    return { statement: this.#known.number, limit };
  }

  /** The text that a constant or a parameter is. */
  #readText(node: TreeNode): string | null {
    if (node.class !== 'PARAMETER') return textIn(node);
    const name = String(node.identifier);
    const value = Object.hasOwn(this.#known.parameters, name) ? this.#known.parameters[name] : undefined;
    return typeof value === 'string' ? value : null;
  }

  #collecting(call: TreeNode, node: TreeNode, shape: Value): Sized<TreeNode> {
    this.#changes += 1;
    const name = spelled(call.function_name);
    const value = {
      ...shape,
      made: 1,
      cells: 0,
      bytes: 0,
      isMany: call.class === 'WINDOW',
      nodes: 2 * shape.nodes,
    };
    // How much of it differs is known afterwards alone.
    if (call.distinct === true)
      return { node: askingResult(name, node, this.#asker(this.#limits.room)), value };
    const bytes = plus(allBytes(listIn(node, 'children')), whole(24));
    return { node: askingAggregate(name, node, bytes, this.#asker(this.#limits.room)), value };
  }

  #top(call: TreeNode, node: TreeNode, values: readonly Value[], value: Value): Sized<TreeNode> {
    const name = spelled(call.function_name);
    const takesNumber = name === 'approx_top_k';
    if (!takesNumber && values.length > (name.startsWith('arg_') ? 2 : 1))
      throw sizeRefusal(`${name} with a number of rows`);
    if (!takesNumber) return { node, value };
    const number = wholeIn(listIn(node, 'children')[1]);
    if (number === null || number > 1_000)
      throw sizeRefusal('approx_top_k with a number that is no constant up to 1,000');
    this.#changes += 1;
    return {
      node: askingResult(name, node, this.#asker(this.#limits.room)),
      value: { ...value, made: 1, cells: 0, bytes: 0 },
    };
  }

  #lambdaCall(call: TreeNode, scope: Scope, kind: 'FILTER' | 'TRANSFORM'): Sized<TreeNode> {
    const [list = NULL, lambda = NULL, ...others] = listIn(call, 'children');
    if (lambda.class !== 'LAMBDA' || others.length > 0)
      throw sizeRefusal(`${spelled(call.function_name)} without a lambda`);
    const items = this.#expression(list, scope);
    if (kind === 'TRANSFORM' && !isZip(list, lambda)) throw sizeRefusal('list_transform');
    return kind === 'FILTER'
      ? this.#filter(call, items, lambda, scope)
      : this.#zip(call, items, lambda, scope);
  }

  #filter(call: TreeNode, items: Sized<TreeNode>, lambda: TreeNode, scope: Scope): Sized<TreeNode> {
    const column = larger(scope.relation.column, { ...items.value, nodes: 1 });
    const body = this.#expression(nodeIn(lambda, 'expr'), {
      ...scope,
      relation: { ...scope.relation, column, named: null },
      isLambda: true,
    });
    const rest = [{ ...lambda, expr: body.node }];
    const nodes = items.value.nodes + body.value.nodes + 1;
    // Each item of the list is given all that stands around the lambda.
    const around = findColumnsAround(lambda);
    const isGiven = around.length > 0 && column.made + column.cells > 0;
    return this.#asking(
      { ...items.value, isMany: items.value.isMany || isGiven, nodes },
      {
        ...{ name: spelled(call.function_name), node: { ...call, children: [items.node, ...rest] } },
        children: [items.node],
        withChildren: (children) => ({ ...call, children: [...children, ...rest] }),
        bytes: ([list = NULL]) =>
          plus(
            measureBytes(list),
            times(castTo('DOUBLE', orZero(functionCall('len', [list]))), allBytes(around)),
          ),
        time: null,
      },
    );
  }

  /** What arrays_zip becomes: each item takes another item of each list. */
  #zip(call: TreeNode, items: Sized<TreeNode>, lambda: TreeNode, scope: Scope): Sized<TreeNode> {
    const body = this.#expression(nodeIn(lambda, 'expr'), {
      ...scope,
      relation: { ...scope.relation, column: { ...scope.relation.column, isMany: false }, named: null },
      isLambda: true,
    });
    const node = { ...call, children: [items.node, { ...lambda, expr: body.node }] };
    const nodes = items.value.nodes + body.value.nodes + 1;
    const { isMany } = scope.relation.column;
    const lists = listIn(nodeIn(lambda, 'expr'), 'children').flatMap((part) =>
      listIn(part, 'children').slice(0, 1),
    );
    return this.#asking(
      { ...multiplied(body.value, 2), isMany, depth: body.value.depth + 1, nodes },
      {
        ...{ name: 'arrays_zip', node, children: [], withChildren: () => node },
        bytes: () => times(whole(2), allBytes(lists)),
        time: null,
      },
    );
  }
}

function emptyLimit() {
  return { type: { id: 'INTEGER', type_info: null }, is_null: false, value: 0 };
}

/** Functions that give an item of a list or a field of an object. */
const ITEMS: ReadonlySet<string> = new Set([
  ...['unnest', 'array_extract', 'struct_extract', 'element_at', 'list_max', 'list_min'],
]);

/** What a list, a map or an object of that size may hold. */
function toItem(value: Value): Value {
  return { ...value, depth: Math.max(value.depth - 1, 1) };
}

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

/** The engine's names of operators, as people write them. */
const OPERATOR_NAMES: ReadonlyMap<string, string> = new Map([
  ['~~', 'LIKE'],
  ['!~~', 'NOT LIKE'],
  ['~~*', 'ILIKE'],
  ['!~~*', 'NOT ILIKE'],
  ['like_escape', 'LIKE'],
  ['not_like_escape', 'NOT LIKE'],
  ['ilike_escape', 'ILIKE'],
  ['not_ilike_escape', 'NOT ILIKE'],
]);

function spelled(name: unknown): string {
  return asciiLowerCase(String(name));
}

function findFunctionSize(call: TreeNode): FunctionSize {
  const name = spelled(call.function_name);
  const size = duckDbFunctions.get(name);
  if (size === undefined) throw sizeRefusal(`The function ${name}`);
  return size;
}

/** The type of a result: a list or an object of its arguments, or that of one of them. */
function shaped(call: TreeNode, value: Value, from: readonly Value[]): Value {
  if (nestingFunctions.has(spelled(call.function_name)))
    return { ...value, leaves: total(from).leaves, depth: largest(from).depth + 1 };
  return { ...value, leaves: largest(from).leaves, depth: largest(from).depth };
}

function checkedRelation(relation: Relation): Relation {
  if (relation.tables > MAX.tables || relation.columns > MAX.columns)
    throw sizeRefusal(`A query that has the same columns more than ${MAX.tables} times, or 10,000 of them,`);
  return relation;
}

function columnValue({ column_names: names }: TreeNode, scope: Scope): Value {
  const [name, field, ...others] = Array.isArray(names) ? names.map(spelled) : [];
  const { column, columns, tables } = scope.relation;
  const plain = { ...column, nodes: 1 };
  if (name === undefined || others.length > 0) return plain;
  if (field !== undefined) return (scope.isLambda ? null : findColumn(scope.rows.get(name), field)) ?? plain;
  const known = (scope.isLambda ? null : findColumn(scope.relation, name)) ?? plain;
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
  return named === undefined ? known : larger(named, known);
}

/** Finds the name under which outer queries see a selected column; empty if it has none. */
function readName(item: TreeNode): string {
  if (item.alias !== '') return spelled(item.alias);
  const names = item.class === 'COLUMN_REF' && Array.isArray(item.column_names) ? item.column_names : [];
  return names.length === 0 ? '' : spelled(names.at(-1));
}

/** The columns that `*` stands for, or null where they are not known. */
function listColumns(star: TreeNode, from: Source): Relation['named'] {
  if (listIn(star, 'replace_list').length > 0 || listIn(star, 'rename_list').length > 0) return null;
  const relation = star.relation_name === '' ? from.relation : from.rows.get(spelled(star.relation_name));
  return relation?.named ?? null;
}

/** Whether a part of a SELECT turns lists into rows. */
function holdsUnnest(part: unknown): boolean {
  if (Array.isArray(part)) return part.some(holdsUnnest);
  if (!isObject(part) || part.class === 'SUBQUERY') return false;
  return spelled(part.function_name) === 'unnest' || Object.values(part).some(holdsUnnest);
}

function givenAgainIn(rows: Scope['rows']): Scope['rows'] {
  return new Map([...rows].map(([name, row]) => [name, givenAgain(row)] as const));
}

function isLarge({ made, cells, bytes }: Value): boolean {
  return made + cells > 0 || bytes > FREE.bytes;
}

/** The columns that a lambda uses, except its own parameters. */
function findColumnsAround(lambda: TreeNode): readonly TreeNode[] {
  const found = new Map<string, TreeNode>();
  const collect = (part: unknown, own: ReadonlySet<string>): void => {
    if (Array.isArray(part)) for (const item of part) collect(item, own);
    if (!isObject(part)) return;
    const names = part.class === 'COLUMN_REF' && Array.isArray(part.column_names) ? part.column_names : [];
    if (names.length > 0 && !own.has(spelled(names[0])))
      found.set(JSON.stringify(names), { ...part, alias: '' });
    const inner = part.class === 'LAMBDA' ? new Set([...own, ...listParameters(part)]) : own;
    for (const item of Object.values(part)) collect(item, inner);
  };
  collect(lambda, new Set());
  return [...found.values()];
}

function listParameters(lambda: TreeNode): readonly string[] {
  const lhs = nodeIn(lambda, 'lhs');
  const references = lhs.class === 'COLUMN_REF' ? [lhs] : listIn(lhs, 'children');
  return references.flatMap(({ column_names: names }) => (Array.isArray(names) ? names.map(spelled) : []));
}

/** A width of any whole type, where the engine takes but one. */
function withWholeWidth(call: TreeNode): TreeNode {
  if (findFunctionSize(call).kind !== 'PAD') return call;
  const [padded, width, ...others] = listIn(call, 'children');
  if (padded === undefined || width === undefined || wholeIn(width) !== null) return call;
  return { ...call, children: [padded, castTo('INTEGER', width), ...others] };
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
