import { asciiLowerCase } from '../../../shared/ascii-case.ts';
import { isObject } from '../../../shared/json.ts';
import { getContent, getKind, type SyntaxNode } from '../../../sql-check/syntax-tree.ts';
import type { ParameterValue } from '../../warehouse.ts';
import { quoteName, quoteText } from '../text.ts';
import { writeCall } from './calls.ts';
import { writeCast } from './casts.ts';
import { innerTypes, structFields } from './nested-types.ts';
import { describeKind, isPresent, readList, readName, readObjects } from './nodes.ts';
import { writeArithmetic, writeBinary, writeComparison } from './operators.ts';
import { checkPattern, writeLike } from './patterns.ts';
import { refuseOnFolder } from './refused.ts';
import { findCommonType, isInteger, type KnownType, readType } from './types.ts';
import {
  areUnlike,
  type ExpressionWriter,
  named,
  unify,
  type Written,
  type WrittenWindow,
} from './written.ts';

/** The columns that names stand for, with their types as far as they are known. */
interface Source {
  readonly alias: string | null;
  /** Whether these are columns that the same SELECT has named before. */
  readonly isLateral?: boolean;
  /** Null where they are not known, as for a table. */
  readonly columns: ReadonlyMap<string, KnownType> | null;
}

export interface Scope {
  readonly sources: readonly Source[];
  readonly lambdas: ReadonlyMap<string, KnownType>;
  readonly ctes: ReadonlyMap<string, ReadonlyMap<string, KnownType> | null>;
  readonly outer: Scope | null;
}

const EMPTY_SCOPE: Scope = { sources: [], lambdas: new Map(), ctes: new Map(), outer: null };

type Columns = ReadonlyMap<string, KnownType> | null;

interface WrittenQuery {
  readonly sql: string;
  readonly columns: Columns;
}

/** The columns of tables with their types in Databricks, by the names of the tables in lower case: `catalog.schema.table`. */
export type TableTypes = ReadonlyMap<string, ReadonlyMap<string, KnownType>>;

export class Writer implements ExpressionWriter {
  readonly #parameters: Readonly<Record<string, ParameterValue>>;
  readonly #tables: TableTypes;
  scope: Scope = EMPTY_SCOPE;
  /** Whether the statement uses a column whose type only its table knows. */
  hasUnknownColumns = false;

  constructor(parameters: Readonly<Record<string, ParameterValue>>, tables: TableTypes) {
    this.#parameters = parameters;
    this.#tables = tables;
  }

  within<Result>(scope: Scope, work: () => Result): Result {
    const before = this.scope;
    this.scope = scope;
    try {
      return work();
    } finally {
      this.scope = before;
    }
  }

  // Queries

  query(node: unknown): WrittenQuery {
    const kind = getKind(node);
    const content = kind === null ? {} : getContent(node, kind);
    switch (kind) {
      case 'select':
        return this.#withCtes(content, () => this.#select(content));
      case 'union':
      case 'intersect':
      case 'except':
        return this.#withCtes(content, () => this.#setOperation(kind, content));
      case 'subquery':
      case 'paren': {
        const { sql, columns } = this.#withCtes(content, () => this.query(content.this));
        return { sql: `(${sql})${this.#tail(content)}`, columns };
      }
      case 'values':
        return this.#values(content);
      default:
        return refuseOnFolder(describeKind(kind));
    }
  }

  #withCtes(content: SyntaxNode, write: () => WrittenQuery): WrittenQuery {
    const clause = isObject(content.with) ? content.with : null;
    if (clause === null) return write();
    const ctes = new Map(this.scope.ctes);
    const written: string[] = [];
    const isRecursive = clause.recursive === true;
    for (const entry of readObjects(clause.ctes)) {
      const cte = isObject(entry.cte) ? entry.cte : entry;
      const name = readName(cte.alias);
      const names = readObjects(cte.columns).map(readName);
      const inner = isRecursive ? new Map(ctes).set(asciiLowerCase(name), null) : ctes;
      const query = this.within({ ...this.scope, ctes: inner }, () => this.query(cte.this));
      const columns = names.length > 0 ? ` (${names.map(quoteName).join(', ')})` : '';
      written.push(`${quoteName(name)}${columns} AS (${query.sql})`);
      ctes.set(asciiLowerCase(name), isRecursive ? null : renameColumns(query.columns, names));
    }
    const { sql, columns } = this.within({ ...this.scope, ctes }, write);
    return { sql: `WITH ${isRecursive ? 'RECURSIVE ' : ''}${written.join(', ')} ${sql}`, columns };
  }

  #setOperation(kind: 'union' | 'intersect' | 'except', content: SyntaxNode): WrittenQuery {
    const [left, right] = [this.query(content.left), this.query(content.right)];
    const word = { union: 'UNION', intersect: 'INTERSECT', except: 'EXCEPT' }[kind];
    if (content.by_name === true) refuseOnFolder('UNION BY NAME');
    const all = content.all === true ? ' ALL' : '';
    const pairs = left.columns === null || right.columns === null ? null : [...right.columns.values()];
    let place = 0;
    const columns =
      pairs === null || left.columns === null
        ? null
        : new Map(
            [...left.columns].map(([name, type]) => {
              const other = pairs[place] ?? null;
              place += 1;
              if (areUnlike(type, other))
                refuseOnFolder('A set operation on a text and another type', 'CAST one of them');
              return [name, findCommonType(type, other)] as const;
            }),
          );
    const sql = `(${left.sql}) ${word}${all} (${right.sql})`;
    const scope: Scope = { ...this.scope, sources: [{ alias: null, columns }], outer: this.scope };
    const tail = this.within(scope, () => this.#tail(content));
    return { sql: `${sql}${tail}`, columns };
  }

  /** ORDER BY, LIMIT and OFFSET. */
  #tail(content: SyntaxNode): string {
    for (const key of ['sort_by', 'cluster_by', 'distribute_by', 'fetch', 'top'])
      if (isObject(content[key])) refuseOnFolder(key.replaceAll('_', ' ').toUpperCase());
    const order = isObject(content.order_by) ? readObjects(content.order_by.expressions) : [];
    const orders =
      order.length === 0 ? '' : ` ORDER BY ${order.map((item) => this.#ordered(item)).join(', ')}`;
    const limit = unwrapLimit(content.limit);
    const offset = unwrapLimit(content.offset);
    return [
      orders,
      limit === null ? '' : ` LIMIT ${this.write(limit).sql}`,
      offset === null ? '' : ` OFFSET ${this.write(offset).sql}`,
    ].join('');
  }

  #ordered(item: SyntaxNode): string {
    const isDescending = item.desc === true;
    const nullsFirst = typeof item.nulls_first === 'boolean' ? item.nulls_first : !isDescending;
    const isAll = readName(getContent(item.this, 'column').name).toLowerCase() === 'all';
    const expression =
      isAll && getContent(item.this, 'column').table == null ? 'ALL' : this.write(item.this).sql;
    return `${expression}${isDescending ? ' DESC' : ' ASC'} NULLS ${nullsFirst ? 'FIRST' : 'LAST'}`;
  }

  order(items: unknown): string {
    return readObjects(items)
      .map((item) => this.#ordered(item))
      .join(', ');
  }

  #values(content: SyntaxNode): WrittenQuery {
    const rows = readObjects(content.expressions).map((row) =>
      (Array.isArray(row.expressions) ? row.expressions : []).map((item) => {
        const value = getContent(item, 'alias');
        return this.write('this' in value ? value.this : item);
      }),
    );
    const width = rows[0]?.length ?? 0;
    const types = Array.from({ length: width }, (_, column) =>
      rows
        .map((row) => row[column]?.type ?? null)
        .reduce<KnownType>((one, other) => {
          if (areUnlike(one, other))
            refuseOnFolder('VALUES with a text and another type in one column', 'CAST one of them');
          return findCommonType(one, other);
        }, 'VOID'),
    );
    const sql = `VALUES ${rows.map((row) => `(${row.map((value) => value.sql).join(', ')})`).join(', ')}`;
    const columns = new Map(types.map((type, index) => [`col${index + 1}`, type] as const));
    return { sql, columns };
  }

  #select(content: SyntaxNode): WrittenQuery {
    for (const key of SELECT_REFUSED)
      if (isPresent(content[key])) refuseOnFolder(key.replaceAll('_', ' ').toUpperCase());
    const { sql: from, sources } = this.#from(content);
    const scope: Scope = { ...this.scope, sources, outer: this.scope, lambdas: this.scope.lambdas };
    return this.within(scope, () => {
      const generators: string[] = [];
      const named = new Map<string, KnownType>();
      const lateral: Source = { alias: null, columns: named, isLateral: true };
      const items = this.within({ ...this.scope, sources: [...sources, lateral] }, () =>
        readList(content.expressions).map((item) => {
          const written = this.#item(item, generators);
          for (const [name, type] of written.columns) if (!named.has(name)) named.set(name, type);
          return written;
        }),
      );
      const where = isObject(content.where_clause)
        ? ` WHERE ${this.write(content.where_clause.this).sql}`
        : '';
      const group = this.#group(content.group_by);
      const aliased: Scope = {
        ...this.scope,
        sources: [
          ...this.scope.sources,
          { alias: null, columns: new Map(items.flatMap(({ columns }) => [...columns])) },
        ],
      };
      const rest = this.within(aliased, () => {
        const having = isObject(content.having) ? ` HAVING ${this.write(content.having.this).sql}` : '';
        const windows = readObjects(content.windows).map(
          (window) =>
            `${quoteName(readName(window.name))} AS (${this.over(isObject(window.spec) ? window.spec : {}).sql})`,
        );
        const qualify = isObject(content.qualify) ? ` QUALIFY ${this.write(content.qualify.this).sql}` : '';
        return `${having}${windows.length === 0 ? '' : ` WINDOW ${windows.join(', ')}`}${qualify}${this.#tail(content)}`;
      });
      const joined =
        generators.length === 0 ? from : `${from === '' ? ' FROM (SELECT 1)' : from}${generators.join('')}`;
      const distinct = content.distinct === true ? 'DISTINCT ' : '';
      const isKnown = items.every((item) => item.isKnown);
      const columns = new Map(items.flatMap((item) => [...item.columns]));
      return {
        sql: `SELECT ${distinct}${items.map((item) => item.sql).join(', ')}${joined}${where}${group}${rest}`,
        columns: isKnown ? columns : null,
      };
    });
  }

  #item(
    item: unknown,
    generators: string[],
  ): { sql: string; columns: Map<string, KnownType>; isKnown: boolean } {
    const kind = getKind(item);
    if (kind === 'star') {
      const star = getContent(item, 'star');
      const table = isObject(star.table) ? `${quoteName(readName(star.table))}.` : '';
      if (isPresent(star.replace) || isPresent(star.rename)) refuseOnFolder('* with REPLACE or RENAME');
      const except = readObjects(star.except).map(readName);
      const sources = this.scope.sources.filter(
        ({ alias }) =>
          !isObject(star.table) || asciiLowerCase(alias ?? '') === asciiLowerCase(readName(star.table)),
      );
      const columns = new Map(sources.flatMap((source) => [...(source.columns ?? [])]));
      for (const name of except) columns.delete(asciiLowerCase(name));
      const sql = `${table}*${except.length === 0 ? '' : ` EXCLUDE (${except.map(quoteName).join(', ')})`}`;
      return { sql, columns, isKnown: sources.every((source) => source.columns !== null) };
    }
    const alias = getContent(item, 'alias');
    const isAliased = kind === 'alias';
    const names = isAliased
      ? [readName(alias.alias), ...readObjects(alias.column_aliases).map(readName)].filter(
          (name) => name !== '',
        )
      : [];
    const expression = isAliased ? alias.this : item;
    const generator = this.#generator(expression);
    if (generator !== null) {
      const outputs = names.length === 0 ? generator.names : names;
      if (generators.length > 0) refuseOnFolder('More than one generator in a SELECT');
      if (outputs.length !== generator.names.length)
        refuseOnFolder('A generator with other names than it has columns');
      const table = `blade_generated_${generators.length + 1}`;
      generators.push(
        `, LATERAL (${generator.sql}) AS ${table}(${generator.names.map(quoteName).join(', ')})`,
      );
      const sql = generator.names
        .map((name, index) => `${table}.${quoteName(name)} AS ${quoteName(outputs[index] ?? name)}`)
        .join(', ');
      return {
        sql,
        columns: new Map(
          outputs.map((name, index) => [asciiLowerCase(name), generator.types[index] ?? null]),
        ),
        isKnown: true,
      };
    }
    const written = this.write(expression);
    const name =
      names[0] ??
      written.name ??
      refuseOnFolder('A column without a name for this expression', 'name it with AS');
    return {
      sql: `${written.sql} AS ${quoteName(name)}`,
      columns: new Map([[asciiLowerCase(name), written.type]]),
      isKnown: true,
    };
  }

  #group(group: unknown): string {
    if (!isObject(group)) return '';
    if (group.all === true) return ' GROUP BY ALL';
    const items = readList(group.expressions);
    const last = getKind(items.at(-1));
    if (
      (last === 'rollup' || last === 'cube') &&
      readList(getContent(items.at(-1), last).expressions).length === 0
    )
      return ` GROUP BY ${last.toUpperCase()} (${items
        .slice(0, -1)
        .map((item) => this.write(item).sql)
        .join(', ')})`;
    return ` GROUP BY ${items.map((item) => this.#grouped(item)).join(', ')}`;
  }

  #grouped(item: unknown): string {
    const { name, args } = getContent(item, 'function');
    const word = typeof name === 'string' ? name.toUpperCase() : '';
    if (!['GROUPING SETS', 'ROLLUP', 'CUBE'].includes(word)) return this.write(item).sql;
    const sets = readList(args).map((set) => {
      if (getKind(set) === 'tuple')
        return `(${readList(getContent(set, 'tuple').expressions)
          .map((inner) => this.write(inner).sql)
          .join(', ')})`;
      return getKind(set) === 'function' ? this.#grouped(set) : this.write(set).sql;
    });
    return `${word} (${sets.join(', ')})`;
  }

  // Sources

  #from(content: SyntaxNode): { sql: string; sources: readonly Source[] } {
    const first = isObject(content.from) ? readList(content.from.expressions) : [];
    const sources: Source[] = [];
    const sql: string[] = [];
    const inScope = <Result>(work: () => Result) =>
      this.within({ ...this.scope, sources: [...sources], outer: this.scope }, work);
    first.forEach((node, index) => {
      const source = inScope(() => this.#source(node));
      sql.push(index === 0 ? ` FROM ${source.sql}` : `, ${source.sql}`);
      sources.push(...source.sources);
    });
    for (const join of readObjects(content.joins)) sql.push(this.#join(join, sources));
    for (const view of readObjects(content.lateral_views)) {
      const generator =
        inScope(() => this.#generator(view.this)) ?? refuseOnFolder('LATERAL VIEW of this function');
      const given = readObjects(view.column_aliases).map(readName);
      const names = given.length === 0 ? generator.names : given;
      const alias = readName(view.table_alias);
      if (names.length !== generator.names.length)
        refuseOnFolder('LATERAL VIEW with other names than it has columns');
      const isOuter = view.outer === true;
      const table = `${quoteName(alias === '' ? `blade_view_${sql.length}` : alias)}(${names.map(quoteName).join(', ')})`;
      const start = sql.length === 0 ? ' FROM (SELECT 1)' : '';
      sql.push(
        isOuter
          ? `${start} LEFT JOIN LATERAL (${generator.sql}) AS ${table} ON true`
          : `${start}, LATERAL (${generator.sql}) AS ${table}`,
      );
      sources.push({
        alias,
        columns: new Map(names.map((name, index) => [asciiLowerCase(name), generator.types[index] ?? null])),
      });
    }
    return { sql: sql.join(''), sources };
  }

  #join(join: SyntaxNode, sources: Source[]): string {
    const kind = String(join.kind);
    const word = JOINS.get(kind) ?? refuseOnFolder(`A join of the kind ${kind}`);
    const before = { ...this.scope, sources: [...sources], outer: this.scope };
    const source = this.within(before, () => this.#source(join.this));
    const all = [...sources, ...source.sources];
    const using = readObjects(join.using).map(readName);
    const on = isPresent(join.on)
      ? this.within({ ...before, sources: all }, () => ` ON ${this.write(join.on).sql}`)
      : '';
    const shared = using.length === 0 ? on : ` USING (${using.map(quoteName).join(', ')})`;
    const isFilter = kind === 'LeftSemi' || kind === 'LeftAnti' || kind === 'Semi' || kind === 'Anti';
    if (!isFilter) sources.push(...source.sources);
    const needsOn = shared === '' && !/CROSS|NATURAL/.test(word);
    return ` ${needsOn && word === 'JOIN' ? 'CROSS JOIN' : word} ${source.sql}${needsOn && word !== 'JOIN' ? ' ON true' : shared}`;
  }

  #source(node: unknown): { sql: string; sources: readonly Source[] } {
    const kind = getKind(node);
    const content = kind === null ? {} : getContent(node, kind);
    switch (kind) {
      case 'table':
        return this.#table(content);
      case 'values': {
        const { sql, columns } = this.#values(content);
        return this.#aliased(`(${sql})`, columns, content, 'blade_values', true);
      }
      case 'subquery': {
        if (getKind(content.this) === null || !QUERIES.has(getKind(content.this) ?? '')) {
          const inner = this.#source(content.this);
          return { sql: `(${inner.sql})`, sources: inner.sources };
        }
        const { sql, columns } = this.within({ ...this.scope, sources: [] }, () =>
          this.query({ [kind]: { ...content, alias: null, column_aliases: [] } }),
        );
        const isValues = getKind(content.this) === 'values';
        return this.#aliased(
          isValues || sql.startsWith('(') ? sql : `(${sql})`,
          columns,
          content,
          'blade_query',
          isValues,
        );
      }
      case 'alias': {
        const inner = content.this;
        const names = readObjects(content.column_aliases);
        return this.#generatorSource(inner, readName(content.alias), names.map(readName));
      }
      case 'function':
      case 'explode':
        return this.#generatorSource(node, '', []);
      case 'lateral':
        return this.#generatorSource(
          content.this,
          typeof content.alias === 'string' ? content.alias : readName(content.alias),
          readList(content.column_aliases).map((name) => (typeof name === 'string' ? name : readName(name))),
        );
      case 'joined_table': {
        const sources: Source[] = [];
        const left = this.#source(content.left);
        sources.push(...left.sources);
        const joins = readObjects(content.joins).map((join) => this.#join(join, sources));
        const alias = readName(content.alias);
        return {
          sql: `(${left.sql}${joins.join('')})${alias === '' ? '' : ` AS ${quoteName(alias)}`}`,
          sources,
        };
      }
      case 'paren': {
        const inner = this.#source(content.this);
        return { sql: `(${inner.sql})`, sources: inner.sources };
      }
      case 'pivot':
        return this.#pivot(content);
      default:
        return refuseOnFolder(describeKind(kind));
    }
  }

  #table(content: SyntaxNode): { sql: string; sources: readonly Source[] } {
    for (const key of [
      'table_sample',
      'time_travel',
      'version',
      'changes',
      'hints',
      'for_system_time',
      'when',
    ])
      if (isPresent(content[key]) && key !== 'table_sample') refuseOnFolder(describeKind(key));
    const parts = [content.catalog, content.schema, content.name].map(readName).filter((name) => name !== '');
    const sql = parts.map(quoteName).join('.');
    const known =
      parts.length === 1
        ? (this.scope.ctes.get(asciiLowerCase(parts[0] ?? '')) ?? null)
        : (this.#tables.get(asciiLowerCase(parts.join('.'))) ?? null);
    const aliased = this.#aliased(sql, known, content, parts.at(-1) ?? '', false, true);
    return { sql: `${aliased.sql}${this.#sample(content.table_sample)}`, sources: aliased.sources };
  }

  #sample(sample: unknown): string {
    if (!isObject(sample)) return '';
    const size = this.write(sample.size).sql;
    if (isPresent(sample.seed)) refuseOnFolder('TABLESAMPLE with a seed');
    return sample.is_percent === true || sample.method === 'Percent'
      ? ` TABLESAMPLE BERNOULLI (${size} PERCENT)`
      : sample.method === 'Row'
        ? ` TABLESAMPLE RESERVOIR (${size} ROWS)`
        : refuseOnFolder('TABLESAMPLE of this kind');
  }

  #aliased(
    sql: string,
    known: Columns,
    content: SyntaxNode,
    fallback: string,
    isValues: boolean,
    isTable = false,
  ) {
    const alias = readName(content.alias);
    const given = readObjects(content.column_aliases).map(readName);
    const names = given.length > 0 ? given : isValues ? [...(known?.keys() ?? [])] : [];
    const columns = renameColumns(known, names);
    const list = names.length === 0 ? '' : `(${names.map(quoteName).join(', ')})`;
    const as =
      alias === '' && list === '' && isTable
        ? ''
        : ` AS ${quoteName(alias === '' ? fallback : alias)}${list}`;
    return { sql: `${sql}${as}`, sources: [{ alias: alias === '' ? fallback : alias, columns }] };
  }

  #generatorSource(node: unknown, alias: string, given: readonly string[]) {
    const generator = this.#generator(node) ?? refuseOnFolder(describeKind(getKind(node)));
    const names = given.length === 0 ? generator.names : given;
    if (names.length !== generator.names.length)
      refuseOnFolder('A generator with other names than it has columns');
    const table = alias === '' ? 'blade_generated' : alias;
    const columns = new Map(
      names.map((name, index) => [asciiLowerCase(name), generator.types[index] ?? null]),
    );
    return {
      sql: `LATERAL (${generator.sql}) AS ${quoteName(table)}(${names.map(quoteName).join(', ')})`,
      sources: [{ alias: table, columns }],
    };
  }

  /** A function that returns rows, as a SELECT; null for any other expression. */
  #generator(node: unknown): { sql: string; names: readonly string[]; types: readonly KnownType[] } | null {
    const call = readCall(node);
    if (call === null) return null;
    const args = call.args.map((argument) => {
      const given = getContent(argument, 'named_argument');
      return 'value' in given ? given.value : argument;
    });
    const one = () => this.write(args[0]);
    switch (call.name) {
      case 'explode':
      case 'explode_outer': {
        const list = one();
        const isOuter = call.name === 'explode_outer';
        if (list.type?.startsWith('MAP') === true) {
          const sql = `SELECT unnest(map_keys(${list.sql})), unnest(map_values(${list.sql}))`;
          const [key, value] = innerTypes(list.type);
          const outer = `SELECT blade_entry.key, blade_entry.value FROM (SELECT unnest(CASE WHEN coalesce(cardinality(${list.sql}), 0) = 0 THEN [NULL] ELSE map_entries(${list.sql}) END) AS blade_entry)`;
          return { sql: isOuter ? outer : sql, names: ['key', 'value'], types: [key ?? null, value ?? null] };
        }
        if (list.type !== null && !list.type.startsWith('ARRAY'))
          refuseOnFolder(`${call.name} of ${list.type}`);
        const sql = isOuter
          ? `SELECT unnest(spark_list_or_null(${list.sql}))`
          : `SELECT unnest(spark_list(${list.sql}))`;
        return { sql, names: ['col'], types: [innerTypes(list.type)[0] ?? null] };
      }
      case 'posexplode':
      case 'posexplode_outer': {
        const list = one();
        if (list.type?.startsWith('MAP') === true) return refuseOnFolder(`${call.name} of a map`);
        const item = innerTypes(list.type)[0] ?? null;
        const isOuter = call.name === 'posexplode_outer';
        const outer = `SELECT CASE WHEN coalesce(len(${list.sql}), 0) = 0 THEN NULL ELSE generate_subscripts(spark_list_or_null(${list.sql}), 1) - 1 END, unnest(spark_list_or_null(${list.sql}))`;
        const sql = `SELECT generate_subscripts(spark_list(${list.sql}), 1) - 1, unnest(spark_list(${list.sql}))`;
        return {
          sql: `SELECT * FROM (${isOuter ? outer : sql})`,
          names: ['pos', 'col'],
          types: ['INT', item],
        };
      }
      case 'inline':
      case 'inline_outer': {
        const list = one();
        const fields = structFields(innerTypes(list.type)[0] ?? null);
        if (fields === null) return refuseOnFolder('inline() of rows whose fields are not in the statement');
        const columns = fields.map(([name]) => `blade_row.${quoteName(name)}`).join(', ');
        return {
          sql: `SELECT ${columns} FROM (SELECT unnest(${call.name === 'inline' ? 'spark_list' : 'spark_list_or_null'}(${list.sql})) AS blade_row)`,
          names: fields.map(([name]) => name),
          types: fields.map(([, type]) => type),
        };
      }
      case 'stack': {
        const rows = this.write(args[0]).literal;
        const values = args.slice(1).map((argument) => this.write(argument));
        if (typeof rows !== 'number' || rows < 1) return refuseOnFolder('stack() with such a number of rows');
        const width = Math.ceil(values.length / rows);
        const lines = Array.from({ length: rows }, (_, row) =>
          Array.from({ length: width }, (_, column) => values[row * width + column]?.sql ?? 'NULL'),
        );
        const types = Array.from({ length: width }, (_, column) =>
          Array.from(
            { length: rows },
            (_, row) => values[row * width + column]?.type ?? 'VOID',
          ).reduce<KnownType>((one, other) => {
            if (areUnlike(one, other)) refuseOnFolder('stack() with a text and another type in one column');
            return findCommonType(one, other);
          }, 'VOID'),
        );
        return {
          sql: `SELECT * FROM (VALUES ${lines.map((line) => `(${line.join(', ')})`).join(', ')})`,
          names: types.map((_, index) => `col${index}`),
          types,
        };
      }
      case 'json_tuple': {
        const [json, ...keys] = args.map((argument) => this.write(argument));
        if (json === undefined) return null;
        return {
          sql: `SELECT ${keys.map((key) => `spark_json_field(${json.sql}, ${key.sql})`).join(', ')}`,
          names: keys.map((_, index) => `c${index}`),
          types: keys.map(() => 'STRING'),
        };
      }
      case 'range': {
        const numbers = args.map((argument) => this.write(argument));
        if (numbers.some(({ type }) => type !== null && !isInteger(type)))
          return refuseOnFolder('range() of this type');
        if (numbers.length > 3) return refuseOnFolder('range() with a number of partitions');
        return {
          sql: `SELECT range FROM range(${numbers.map(({ sql }) => `CAST(${sql} AS BIGINT)`).join(', ')})`,
          names: ['id'],
          types: ['BIGINT'],
        };
      }
      case 'variant_explode':
      case 'variant_explode_outer':
      case 'unnest':
      case 'generate_series':
        return refuseOnFolder(`${call.name}()`);
      default:
        return null;
    }
  }

  #pivot(content: SyntaxNode): { sql: string; sources: readonly Source[] } {
    const source = this.#source(content.this);
    const [field] = readList(content.fields);
    const membership = getContent(field, 'in');
    const name = readName(getContent(membership.this, 'column').name);
    if (name === '' || readList(content.fields).length !== 1 || isPresent(content.unpivot))
      refuseOnFolder('PIVOT of this form');
    const columns = source.sources[0]?.columns ?? null;
    if (columns === null)
      return refuseOnFolder('PIVOT of a table', 'select its columns in a sub-query first');
    return this.within({ ...this.scope, sources: source.sources, outer: this.scope }, () => {
      const used = new Set([asciiLowerCase(name)]);
      const calls = readList(content.expressions);
      for (const call of calls) for (const column of listColumns(call)) used.add(asciiLowerCase(column));
      const groups = [...columns.keys()].filter((column) => !used.has(column));
      const values = readList(membership.expressions).map((value) => {
        const alias = getContent(value, 'pivot_alias');
        const written = this.write('this' in alias ? alias.this : value);
        const given = readName(getContent(alias.alias, 'column').name) || readName(alias.alias);
        return {
          written,
          label: given === '' ? (written.name ?? refuseOnFolder('PIVOT of such a value')) : given,
        };
      });
      const outputs = values.flatMap(({ written, label }) =>
        calls.map((call) => {
          const alias = getContent(call, 'alias');
          const inner = 'this' in alias ? alias.this : call;
          const filtered = this.aggregate(inner, `${quoteName(name)} IS NOT DISTINCT FROM ${written.sql}`);
          const suffix = readName(alias.alias) || filtered.name || '';
          return { filtered, label: calls.length === 1 ? label : `${label}_${suffix}` };
        }),
      );
      const list = [
        ...groups.map((group) => quoteName(group)),
        ...outputs.map(({ filtered, label }) => `${filtered.sql} AS ${quoteName(label)}`),
      ];
      const by = groups.length === 0 ? '' : ` GROUP BY ${groups.map(quoteName).join(', ')}`;
      const types = new Map([
        ...groups.map((group) => [group, columns.get(group) ?? null] as const),
        ...outputs.map(({ filtered, label }) => [asciiLowerCase(label), filtered.type] as const),
      ]);
      const alias = readName(content.alias) || 'blade_pivot';
      return {
        sql: `(SELECT ${list.join(', ')} FROM ${source.sql}${by}) AS ${quoteName(alias)}`,
        sources: [{ alias, columns: types }],
      };
    });
  }

  /** An aggregate over those of its rows for which a condition is true. */
  aggregate(node: unknown, condition: string): Written {
    return writeCall(this, node, { condition }) ?? refuseOnFolder('An aggregate of this form');
  }

  // Expressions

  write(node: unknown): Written {
    const kind = getKind(node);
    const content = kind === null ? {} : getContent(node, kind);
    switch (kind) {
      case 'literal':
        return this.#literal(content);
      case 'boolean':
        return {
          sql: content.value === true ? 'true' : 'false',
          type: 'BOOLEAN',
          name: String(content.value),
        };
      case 'null':
        return { sql: 'NULL', type: 'VOID', name: 'NULL', literal: null };
      case 'parameter':
        return this.#parameter(content);
      case 'column':
        return this.#column(content);
      case 'identifier':
        return this.#column({ name: content });
      case 'paren': {
        const inner = this.write(content.this);
        return { ...inner, sql: `(${inner.sql})` };
      }
      case 'alias':
        return this.write(content.this);
      case 'neg':
        return this.#negative(content);
      case 'not': {
        const like = ['like', 'i_like'].find((word) => getContent(content.this, word).quantifier != null);
        if (like !== undefined)
          return writeLike(this, like === 'like' ? 'like' : 'i_like', getContent(content.this, like), true);
        const inner = this.write(content.this);
        return { sql: `(NOT ${inner.sql})`, type: 'BOOLEAN', name: named`(NOT ${inner})` };
      }
      case 'and':
      case 'or': {
        const [left, right] = [this.write(content.left), this.write(content.right)];
        const word = kind.toUpperCase();
        return {
          sql: `(${left.sql} ${word} ${right.sql})`,
          type: 'BOOLEAN',
          name: named`(${left} ${word} ${right})`,
        };
      }
      case 'eq':
      case 'neq':
      case 'lt':
      case 'lte':
      case 'gt':
      case 'gte':
      case 'null_safe_eq':
      case 'null_safe_neq':
        return writeComparison(kind, this.write(content.left), this.write(content.right));
      case 'add':
      case 'sub':
      case 'mul':
      case 'div':
      case 'mod':
        return writeArithmetic(kind, this.operand(content.left), this.operand(content.right));
      case 'int_div':
        return writeArithmetic('int_div', this.write(content.this), this.write(content.expression));
      case 'mod_func':
        return writeArithmetic('mod', this.write(content.this), this.write(content.expression));
      case 'bitwise_and':
      case 'bitwise_or':
      case 'bitwise_xor':
      case 'concat':
        return writeBinary(kind, this.write(content.left), this.write(content.right));
      case 'bitwise_not': {
        const inner = this.write(content.this);
        return { sql: `(~${inner.sql})`, type: inner.type, name: named`~${inner}` };
      }
      case 'is_null': {
        const inner = this.write(content.this);
        const negated = content.not === true ? ' NOT' : '';
        return {
          sql: `(${inner.sql} IS${negated} NULL)`,
          type: 'BOOLEAN',
          name: named`(${inner} IS${negated} NULL)`,
        };
      }
      case 'is_true':
      case 'is_false': {
        const inner = this.write(content.this);
        const negated = content.not === true ? ' NOT' : '';
        const word = kind === 'is_true' ? 'TRUE' : 'FALSE';
        return { sql: `(${inner.sql} IS${negated} ${word})`, type: 'BOOLEAN', name: null };
      }
      case 'between': {
        const [value, low, high] = [content.this, content.low, content.high].map((part) => this.write(part));
        if (value === undefined || low === undefined || high === undefined)
          return refuseOnFolder('BETWEEN of this form');
        if (isPresent(content.symmetric)) refuseOnFolder('BETWEEN SYMMETRIC');
        const [from, to] = [writeComparison('gte', value, low), writeComparison('lte', value, high)];
        const isPlain =
          from.sql === `(${value.sql} >= ${low.sql})` && to.sql === `(${value.sql} <= ${high.sql})`;
        const inner = isPlain
          ? `${value.sql} BETWEEN ${low.sql} AND ${high.sql}`
          : `${from.sql} AND ${to.sql}`;
        const negated = content.not === true ? 'NOT ' : '';
        return {
          sql: `(${negated}(${inner}))`,
          type: 'BOOLEAN',
          name: negated === '' ? named`between(${value}, ${low}, ${high})` : null,
        };
      }
      case 'in':
        return this.#in(content);
      case 'like':
      case 'i_like':
        return writeLike(this, kind, content);
      case 'regexp_like': {
        const [text, pattern] = [this.write(content.this), this.write(content.pattern)];
        checkPattern(pattern);
        const negated = content.not === true ? 'NOT ' : '';
        return {
          sql: `(${negated}regexp_matches(spark_text(${text.sql}), ${pattern.sql}))`,
          type: 'BOOLEAN',
          name: named`RLIKE(${text}, ${pattern})`,
        };
      }
      case 'case':
        return this.#case(content);
      case 'cast':
      case 'try_cast':
      case 'safe_cast':
        return writeCast(
          this.write(content.this),
          readType(content.to),
          kind === 'cast' ? 'CAST' : 'TRY_CAST',
        );
      case 'subscript':
        return this.#subscript(content);
      case 'dot':
        return this.#dot(content);
      case 'subquery': {
        const { sql, columns } = this.within({ ...this.scope, sources: [], outer: this.scope }, () =>
          this.query(content.this),
        );
        const type = columns?.size === 1 ? ([...columns.values()][0] ?? null) : null;
        return { sql: `(${sql})`, type, name: null };
      }
      case 'exists': {
        const { sql } = this.within({ ...this.scope, sources: [], outer: this.scope }, () =>
          this.query(content.this),
        );
        return { sql: `(${content.not === true ? 'NOT ' : ''}EXISTS (${sql}))`, type: 'BOOLEAN', name: null };
      }
      case 'tuple': {
        const items = readList(content.expressions).map((item) => this.write(item));
        return { sql: `(${items.map(({ sql }) => sql).join(', ')})`, type: 'STRUCT', name: null };
      }
      case 'interval':
        return refuseOnFolder('An INTERVAL as a value');
      case 'star':
        return { sql: '*', type: null, name: '*' };
      case 'lambda':
        return refuseOnFolder('A lambda here');
      case 'j_s_o_n_extract':
        return this.#jsonPath(content);
      default: {
        const call = writeCall(this, node, {});
        return call ?? refuseOnFolder(describeKind(kind));
      }
    }
  }

  /** Writes the parts of a window: PARTITION BY, ORDER BY and its frame. */
  over(spec: SyntaxNode): WrittenWindow {
    const window = isObject(spec.window_name) ? quoteName(readName(spec.window_name)) : '';
    const partition = readList(spec.partition_by).map((item) => this.write(item));
    const order = readObjects(spec.order_by);
    const sql = [
      window,
      partition.length === 0 ? '' : `PARTITION BY ${partition.map((item) => item.sql).join(', ')}`,
      order.length === 0 ? '' : `ORDER BY ${this.order(order)}`,
      isObject(spec.frame) ? this.#frame(spec.frame) : '',
    ];
    const shown = [
      partition.length === 0 ? '' : `PARTITION BY ${partition.map(({ name }) => name).join(', ')}`,
      order.length === 0 ? '' : `ORDER BY ${order.map((item) => this.#showOrder(item)).join(', ')}`,
    ];
    const isNamed = window === '' && !isObject(spec.frame) && partition.every(({ name }) => name !== null);
    return {
      sql: sql.filter((part) => part !== '').join(' '),
      name: isNamed ? shown.filter((part) => part !== '').join(' ') : null,
      isOrdered: order.length > 0,
    };
  }

  #showOrder(item: SyntaxNode): string {
    const { name } = this.write(item.this);
    const isDescending = item.desc === true;
    const nullsFirst = typeof item.nulls_first === 'boolean' ? item.nulls_first : !isDescending;
    return `${name ?? ''} ${isDescending ? 'DESC' : 'ASC'} NULLS ${nullsFirst ? 'FIRST' : 'LAST'}`;
  }

  #frame(frame: SyntaxNode): string {
    if (isPresent(frame.exclude)) refuseOnFolder('EXCLUDE in a window');
    const [start, end] = [this.#bound(frame.start), isPresent(frame.end) ? this.#bound(frame.end) : null];
    const kind = String(frame.kind).toUpperCase();
    return end === null ? `${kind} ${start}` : `${kind} BETWEEN ${start} AND ${end}`;
  }

  #bound(bound: unknown): string {
    const word = {
      CurrentRow: 'CURRENT ROW',
      UnboundedPreceding: 'UNBOUNDED PRECEDING',
      UnboundedFollowing: 'UNBOUNDED FOLLOWING',
    }[String(bound)];
    if (word !== undefined) return word;
    if (isObject(bound) && 'Preceding' in bound) return `${this.write(bound.Preceding).sql} PRECEDING`;
    if (isObject(bound) && 'Following' in bound) return `${this.write(bound.Following).sql} FOLLOWING`;
    return refuseOnFolder('A window of this form');
  }

  /** A lambda, with the types of its parameters as far as they are known. */
  lambda(
    node: unknown,
    types: readonly KnownType[],
  ): { readonly parameters: readonly string[]; readonly body: Written } {
    const { parameters, body } = getContent(node, 'lambda');
    if (!isObject(body)) return refuseOnFolder('A function in the place of a lambda');
    const names = readObjects(parameters).map(readName);
    const lambdas = new Map(this.scope.lambdas);
    for (const [index, name] of names.entries()) lambdas.set(asciiLowerCase(name), types[index] ?? null);
    return { parameters: names, body: this.within({ ...this.scope, lambdas }, () => this.write(body)) };
  }

  #literal(content: SyntaxNode): Written {
    const value = String(content.value);
    switch (content.literal_type) {
      case 'string':
        return { sql: quoteText(value), type: 'STRING', name: value, literal: value };
      case 'hex_string':
        return { sql: `unhex('${value}')`, type: 'BINARY', name: `X'${value.toUpperCase()}'` };
      case 'number':
        return writeNumber(value);
      default:
        return refuseOnFolder(`A literal of the kind ${String(content.literal_type)}`);
    }
  }

  #negative(content: SyntaxNode): Written {
    const literal = getContent(content.this, 'literal');
    if (literal.literal_type === 'number') return writeNumber(`-${String(literal.value)}`);
    const inner = this.write(content.this);
    if (inner.type === 'STRING') refuseOnFolder('The negative of a text', 'CAST it');
    return { sql: `(-${inner.sql})`, type: inner.type, name: named`(- ${inner})` };
  }

  /** An argument or operand that may be an interval, which is no value by itself. */
  operand(node: unknown): Written {
    return getKind(node) === 'interval' ? writeInterval(getContent(node, 'interval')) : this.write(node);
  }

  #parameter(content: SyntaxNode): Written {
    const name = String(content.name);
    const value = this.#parameters[name];
    const type =
      typeof value === 'string'
        ? 'STRING'
        : typeof value === 'boolean'
          ? 'BOOLEAN'
          : typeof value === 'number'
            ? Number.isSafeInteger(value)
              ? 'BIGINT'
              : 'DOUBLE'
            : null;
    return { sql: `$${name}`, type, name: null, isParameter: true };
  }

  #column(content: SyntaxNode): Written {
    const name = readName(content.name);
    const table = isObject(content.table) ? readName(content.table) : null;
    const lower = asciiLowerCase(name);
    if (table === null && this.scope.lambdas.has(lower))
      return {
        sql: quoteName(name),
        type: this.scope.lambdas.get(lower) ?? null,
        name: 'namedlambdavariable()',
      };
    const found =
      table === null
        ? findColumn(this.scope, null, lower)
        : findColumn(this.scope, asciiLowerCase(table), lower);
    if (table !== null && found === undefined) {
      const struct =
        this.scope.lambdas.get(asciiLowerCase(table)) ?? findColumn(this.scope, null, asciiLowerCase(table));
      const field = structFields(struct ?? null)?.find(([key]) => asciiLowerCase(key) === lower);
      if (field !== undefined) return { sql: `${quoteName(table)}.${quoteName(name)}`, type: field[1], name };
    }
    const sql = table === null ? quoteName(name) : `${quoteName(table)}.${quoteName(name)}`;
    if (found === undefined || found === null) this.hasUnknownColumns = true;
    const isLateral = table === null && isLateralAlias(this.scope, lower);
    return { sql, type: found ?? null, name: isLateral ? `lateralAliasReference(${name})` : name };
  }

  #dot(content: SyntaxNode): Written {
    const inner = this.write(content.this);
    const name = readName(content.field);
    if (inner.type === 'VARIANT') return { sql: `${inner.sql}.${quoteName(name)}`, type: 'VARIANT', name };
    const item = structFields(innerTypes(inner.type)[0] ?? null)?.find(
      ([key]) => asciiLowerCase(key) === asciiLowerCase(name),
    );
    if (inner.type?.startsWith('ARRAY') === true) {
      if (item === undefined)
        return refuseOnFolder('A field of the items of an array that only a column knows');
      const sql = `list_transform(${inner.sql}, lambda blade_field: struct_extract(blade_field, ${quoteText(name)}))`;
      return { sql, type: `ARRAY<${item[1] ?? '?'}>`, name: null };
    }
    const field = structFields(inner.type)?.find(([key]) => asciiLowerCase(key) === asciiLowerCase(name));
    const isReference = getKind(content.this) === 'column' || getKind(content.this) === 'dot';
    const sql = isReference
      ? `${inner.sql}.${quoteName(name)}`
      : `struct_extract(${inner.sql}, ${quoteText(name)})`;
    if (inner.type?.startsWith('MAP') === true)
      return refuseOnFolder('A key of a map after a point', "write m['key']");
    return { sql, type: field?.[1] ?? null, name: isReference ? name : null };
  }

  #in(content: SyntaxNode): Written {
    const value = this.write(content.this);
    const negated = content.not === true ? 'NOT ' : '';
    if (isPresent(content.query)) {
      const { sql } = this.within({ ...this.scope, sources: [], outer: this.scope }, () =>
        this.query(content.query),
      );
      return { sql: `(${value.sql} ${negated}IN (${sql}))`, type: 'BOOLEAN', name: null };
    }
    const items = readList(content.expressions).map((item) => this.write(item));
    const compared = items.map((item) => writeComparison('eq', value, item).sql);
    const isPlain = items.every((item, index) => compared[index] === `(${value.sql} = ${item.sql})`);
    const sql = isPlain
      ? `${value.sql} IN (${items.map((item) => item.sql).join(', ')})`
      : compared.join(' OR ');
    const names = items.map(({ name }) => name);
    const name =
      names.includes(null) || value.name === null ? null : `(${value.name} IN (${names.join(', ')}))`;
    return {
      sql: `(${negated}(${sql}))`,
      type: 'BOOLEAN',
      name: negated === '' ? name : name === null ? null : `(NOT ${name})`,
    };
  }

  #case(content: SyntaxNode): Written {
    const operand = isPresent(content.operand) ? this.write(content.operand) : null;
    const whens = (Array.isArray(content.whens) ? content.whens : []).map((branch: unknown) => {
      const [when, then] = Array.isArray(branch) ? branch : [];
      return [this.write(when), this.write(then)] as const;
    });
    const otherwise = isPresent(content.else_) ? this.write(content.else_) : null;
    const results = [...whens.map(([, then]) => then), ...(otherwise === null ? [] : [otherwise])];
    const type = unify(results, 'CASE');
    const branches = whens.map(([when, then]) => {
      const condition = operand === null ? when.sql : writeComparison('eq', operand, when).sql;
      return `WHEN ${condition} THEN ${then.sql}`;
    });
    const sql = `CASE ${branches.join(' ')}${otherwise === null ? '' : ` ELSE ${otherwise.sql}`} END`;
    const parts = whens.map(([when, then]) =>
      operand === null ? named`WHEN ${when} THEN ${then}` : named`WHEN (${operand} = ${when}) THEN ${then}`,
    );
    const isNamed = !parts.includes(null) && otherwise?.name !== null;
    const end = otherwise === null ? '' : ` ELSE ${otherwise.name}`;
    return { sql: `(${sql})`, type, name: isNamed ? `CASE ${parts.join(' ')}${end} END` : null };
  }

  #subscript(content: SyntaxNode): Written {
    const [list, index] = [this.write(content.this), this.write(content.index)];
    const name = named`${list}[${index}]`;
    const [first = null, second = null] = innerTypes(list.type);
    if (list.type?.startsWith('MAP') === true || (list.type === null && index.type === 'STRING'))
      return { sql: `map_extract_value(${list.sql}, ${index.sql})`, type: second, name };
    if (list.type?.startsWith('ARRAY') === true || (list.type === null && isInteger(index.type)))
      return { sql: `spark_item(${list.sql}, ${index.sql})`, type: first, name };
    if (list.type === 'VARIANT') {
      const place = isInteger(index.type) ? `${index.sql} + 1` : index.sql;
      return { sql: `${list.sql}[${place}]`, type: 'VARIANT', name };
    }
    return refuseOnFolder(
      'An item by an index whose type only its column knows',
      'write element_at() or a number',
    );
  }

  #jsonPath(content: SyntaxNode): Written {
    const json = this.write(content.this);
    const path = getContent(content.expression, 'literal').value;
    if (typeof path !== 'string') return refuseOnFolder('A path of this form');
    const full = path.startsWith('[') ? `$${path}` : `$.${path}`;
    const last = /(\w+)(?:\[[^\]]*\])?$/.exec(path)?.[1] ?? null;
    return { sql: `json_extract_string(${json.sql}, ${quoteText(full)})`, type: 'STRING', name: last };
  }
}

const JOINS: ReadonlyMap<string, string> = new Map([
  ['Inner', 'JOIN'],
  ['Left', 'LEFT JOIN'],
  ['Right', 'RIGHT JOIN'],
  ['Full', 'FULL JOIN'],
  ['Cross', 'CROSS JOIN'],
  ['Implicit', 'CROSS JOIN'],
  ['LeftSemi', 'SEMI JOIN'],
  ['LeftAnti', 'ANTI JOIN'],
  ['Semi', 'SEMI JOIN'],
  ['Anti', 'ANTI JOIN'],
  ['Natural', 'NATURAL JOIN'],
  ['NaturalLeft', 'NATURAL LEFT JOIN'],
  ['NaturalRight', 'NATURAL RIGHT JOIN'],
  ['NaturalFull', 'NATURAL FULL JOIN'],
]);

const QUERIES: ReadonlySet<string> = new Set([
  'select',
  'union',
  'intersect',
  'except',
  'subquery',
  'paren',
  'values',
]);

const SELECT_REFUSED = [
  ...[
    'sort_by',
    'cluster_by',
    'distribute_by',
    'connect',
    'prewhere',
    'distinct_on',
    'top',
    'sample',
    'settings',
  ],
];

function writeNumber(value: string): Written {
  if (/e/i.test(value))
    return { sql: value, type: 'DOUBLE', name: formatDouble(value), literal: Number(value) };
  const digits = value.replace('-', '');
  if (digits.includes('.')) {
    const [whole = '', fraction = ''] = digits.split('.');
    const scale = fraction.length;
    const precision = Math.max(whole.replace(/^0+/, '').length + scale, scale, 1);
    if (precision > 38) refuseOnFolder('A number of more than 38 digits');
    const type = `DECIMAL(${precision},${scale})`;
    const text = `${value.startsWith('-') ? '-' : ''}${whole === '' ? '0' : whole}${scale === 0 ? '' : `.${fraction}`}`;
    // DuckDB counts the zero before the point.
    return {
      sql: scale === precision || scale === 0 ? `CAST('${text}' AS ${type})` : text,
      type,
      name: text,
      literal: Number(value),
    };
  }
  const number = BigInt(value);
  if (number >= -(2n ** 31n) && number < 2n ** 31n)
    return {
      sql: number === -(2n ** 31n) ? `CAST(${value} AS INTEGER)` : value,
      type: 'INT',
      name: number.toString(),
      literal: Number(value),
    };
  if (number >= -(2n ** 63n) && number < 2n ** 63n)
    return {
      sql: `CAST(${value} AS BIGINT)`,
      type: 'BIGINT',
      name: number.toString(),
      literal: Number(value),
    };
  if (digits.length > 38) refuseOnFolder('A number of more than 38 digits');
  return {
    sql: `CAST('${value}' AS DECIMAL(${digits.length},0))`,
    type: `DECIMAL(${digits.length},0)`,
    name: number.toString(),
  };
}

/** A number as Java writes it. */
function formatDouble(value: string): string | null {
  const number = Number(value);
  const size = Math.abs(number);
  if (size !== 0 && (size < 1e-3 || size >= 1e7)) {
    const [digits = '', power = ''] = number.toExponential().split('e');
    return `${digits.includes('.') ? digits : `${digits}.0`}E${power.replace('+', '')}`;
  }
  return Number.isInteger(number) ? `${number}.0` : String(number);
}

const UNITS: ReadonlyMap<string, string> = new Map([
  ['year', 'YEAR'],
  ['quarter', 'QUARTER'],
  ['month', 'MONTH'],
  ['week', 'WEEK'],
  ['day', 'DAY'],
  ['hour', 'HOUR'],
  ['minute', 'MINUTE'],
  ['second', 'SECOND'],
  ['millisecond', 'MILLISECOND'],
  ['microsecond', 'MICROSECOND'],
]);

/** An interval of a literal, which other expressions may add to a time. */
function writeInterval(content: SyntaxNode): Written {
  const literal = getContent(content.this, 'literal');
  const unit = isObject(content.unit) ? content.unit : {};
  if (content.this === undefined || literal.value === undefined)
    return refuseOnFolder('INTERVAL of an expression', 'write a number, or use dateadd()');
  const value = String(literal.value).trim();
  if (unit.type === 'span')
    return writeSpan(value, String(unit.this).toLowerCase(), String(unit.expression).toLowerCase());
  const word = UNITS.get(String(unit.unit).toLowerCase().replace(/s$/, ''));
  if (word === undefined || !/^-?\d+(\.\d+)?$/.test(value)) return refuseOnFolder(`INTERVAL '${value}'`);
  if (value.includes('.') && word !== 'SECOND') return refuseOnFolder(`INTERVAL '${value}' ${word}`);
  const sql = `(INTERVAL '${value}' ${word})`;
  const isLong = /YEAR|QUARTER|MONTH/.test(word);
  return {
    sql,
    type: isLong ? 'INTERVAL MONTH' : /DAY|WEEK/.test(word) ? 'INTERVAL DAY' : 'INTERVAL SECOND',
    name: null,
  };
}

function writeSpan(value: string, start: string, end: string): Written {
  const [, months] = /^([+-]?\d+-\d+)$/.exec(value) ?? [];
  if (start === 'year' && end === 'month' && months !== undefined) {
    const sign = months.startsWith('-') ? -1 : 1;
    const [years = '0', rest = '0'] = months.replace(/^[+-]/, '').split('-');
    return {
      sql: `(INTERVAL '${sign * (Number(years) * 12 + Number(rest))}' MONTH)`,
      type: 'INTERVAL MONTH',
      name: null,
    };
  }
  const parts = /^([+-]?)(?:(\d+) )?(?:(\d+):)?(\d+)(?::(\d+(?:\.\d{1,6})?))?$/.exec(value);
  if (
    parts === null ||
    !(start === 'day' || start === 'hour') ||
    end !== 'second' ||
    (start === 'day') !== (parts[2] !== undefined)
  )
    return refuseOnFolder(`INTERVAL '${value}' ${start} TO ${end}`.toUpperCase());
  const [, sign = '', days = '0', hours = '0', minutes = '0', seconds = '0'] = parts;
  const [whole = '0', fraction = ''] = seconds.split('.');
  const total = BigInt(days) * 86_400n + BigInt(hours) * 3_600n + BigInt(minutes) * 60n + BigInt(whole);
  const micros = total * 1_000_000n + BigInt(fraction.padEnd(6, '0'));
  return { sql: `to_microseconds(${sign === '-' ? '-' : ''}${micros})`, type: 'INTERVAL SECOND', name: null };
}

export interface ReadCall {
  readonly name: string;
  readonly args: readonly unknown[];
}

/** Reads a plain call; its name in lower case, as people know it. */
export function readCall(node: unknown): ReadCall | null {
  const kind = getKind(node);
  if (kind === 'explode') return { name: 'explode', args: [getContent(node, kind).this] };
  if (kind !== 'function') return null;
  const { name, args } = getContent(node, kind);
  if (typeof name !== 'string') return null;
  return { name: asciiLowerCase(name).replace(/^spark_/, ''), args: readList(args) };
}

function findColumn(scope: Scope | null, table: string | null, name: string): KnownType | undefined {
  for (let current = scope; current !== null; current = current.outer) {
    for (const { alias, columns } of current.sources) {
      if (table !== null && asciiLowerCase(alias ?? '') !== table) continue;
      const type = columns?.get(name);
      if (type !== undefined) return type;
    }
    // It may be a column of a table that is not known.
    if (
      current.sources.some(
        ({ alias, columns }) => columns === null && (table === null || asciiLowerCase(alias ?? '') === table),
      )
    )
      return undefined;
  }
  return undefined;
}

/** Whether a name is only that of a column which the same SELECT has named before. */
function isLateralAlias(scope: Scope, name: string): boolean {
  const [own, others] = [
    scope.sources.filter(({ isLateral }) => isLateral),
    scope.sources.filter(({ isLateral }) => !isLateral),
  ];
  return (
    own.some(({ columns }) => columns?.has(name)) &&
    others.every(({ columns }) => columns !== null && !columns.has(name))
  );
}

function renameColumns(columns: Columns, names: readonly string[]): Columns {
  if (columns === null || names.length === 0) return columns;
  const types = [...columns.values()];
  return new Map(names.map((name, index) => [asciiLowerCase(name), types[index] ?? null]));
}

function listColumns(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(listColumns);
  if (!isObject(node)) return [];
  const { name } = getContent(node, 'column');
  return [...(isObject(name) ? [readName(name)] : []), ...Object.values(node).flatMap(listColumns)];
}

function unwrapLimit(limit: unknown): unknown {
  if (!isPresent(limit)) return null;
  return isObject(limit) && 'this' in limit && getKind(limit) === null ? limit.this : limit;
}
