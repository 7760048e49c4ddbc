import { asciiLowerCase } from '../../../../shared/ascii-case.ts';
import { isObject } from '../../../../shared/json.ts';
import { getContent, getKind, type SyntaxNode } from '../../../../sql-check/syntax-tree.ts';
import { quoteName } from '../../text.ts';
import { isPresent, readList, readName, readObjects } from '../nodes.ts';
import { refuseOnFolder } from '../refused.ts';
import { findColumn, repeats, type Source } from '../scope.ts';
import type { StatementWriter, WrittenQuery } from '../statement-writer.ts';
import type { KnownType } from '../types.ts';
import { type Generator, nameOutputs, writeGenerator } from './generators.ts';
import { writeTail } from './order.ts';
import { writeFrom } from './sources.ts';

/** Writes a SELECT with its clauses. */
export function writeSelect(writer: StatementWriter, content: SyntaxNode): WrittenQuery {
  for (const key of SELECT_REFUSED)
    if (isPresent(content[key])) refuseOnFolder(key.replaceAll('_', ' ').toUpperCase());
  const { sql: from, sources } = writeFrom(writer, content);
  return writer.inside(sources, () => {
    const generators: string[] = [];
    const aliases = new Map<string, KnownType>();
    const lateral: Source = { alias: null, columns: aliases, isLateral: true };
    const items = writer.within({ sources: [...sources, lateral], isSelected: true }, () =>
      readList(content.expressions).map((item) => {
        const written = writeItem(writer, item, generators);
        for (const [name, type] of written.columns) if (!aliases.has(name)) aliases.set(name, type);
        return written;
      }),
    );
    const where = isObject(content.where_clause)
      ? ` WHERE ${writer.write(content.where_clause.this).sql}`
      : '';
    const group = writeGroup(writer, content.group_by);
    const named = { alias: null, columns: new Map(items.flatMap(({ columns }) => [...columns])) };
    const rest = writer.within({ sources: [...writer.scope.sources, named] }, () => {
      const having = isObject(content.having) ? ` HAVING ${writer.write(content.having.this).sql}` : '';
      const windows = readObjects(content.windows).map(
        (window) =>
          `${quoteName(readName(window.name))} AS ${writer.over(isObject(window.spec) ? window.spec : {}).sql}`,
      );
      const qualify = isObject(content.qualify) ? ` QUALIFY ${writer.write(content.qualify.this).sql}` : '';
      return `${having}${windows.length === 0 ? '' : ` WINDOW ${windows.join(', ')}`}${qualify}${writeTail(writer, content)}`;
    });
    const joined =
      generators.length === 0 ? from : `${from === '' ? ' FROM (SELECT 1)' : from}${generators.join('')}`;
    const distinct = content.distinct === true ? 'DISTINCT ' : '';
    const isKnown = items.every((item) => item.isKnown);
    return {
      sql: `SELECT ${distinct}${items.map((item) => item.sql).join(', ')}${joined}${where}${group}${rest}`,
      columns: isKnown ? named.columns : null,
      hasRepeatedNames: findRepeated(items),
    };
  });
}

/** Whether two columns have one name; null where that is not known. */
function findRepeated(items: readonly SelectItem[]): boolean | null {
  if (repeats(items.flatMap(({ names }) => names ?? []))) return true;
  const [first, ...others] = items;
  // The columns of one table have different names.
  return items.some(({ names }) => names === null) && !(others.length === 0 && first?.isOneTable)
    ? null
    : false;
}

interface SelectItem {
  readonly sql: string;
  readonly columns: Map<string, KnownType>;
  /** The names of all of its columns; null where they are not known. */
  readonly names: readonly string[] | null;
  readonly isOneTable?: boolean;
  /** Whether these are all of its columns. */
  readonly isKnown: boolean;
}

/** Writes what a SELECT returns. @param generators the functions that return rows, which it adds to the FROM. */
function writeItem(writer: StatementWriter, item: unknown, generators: string[]): SelectItem {
  const kind = getKind(item);
  if (kind === 'star') return writeStar(writer, getContent(item, 'star'));
  const alias = getContent(item, 'alias');
  const isAliased = kind === 'alias';
  const names = isAliased
    ? [readName(alias.alias), ...readObjects(alias.column_aliases).map(readName)].filter(
        (name) => name !== '',
      )
    : [];
  const expression = isAliased ? alias.this : item;
  const generator = writeGenerator(writer, expression);
  if (generator !== null) {
    if (generators.length > 0) refuseOnFolder('More than one generator in a SELECT');
    return writeGenerated(generator, names, generators);
  }
  const written = writer.write(expression);
  const name =
    names[0] ??
    nameCast(expression) ??
    written.name ??
    refuseOnFolder('A column without a name for this expression', 'name it with AS');
  return {
    sql: `${written.sql} AS ${quoteName(name)}`,
    columns: new Map([[asciiLowerCase(name), written.type]]),
    names: [name],
    isKnown: true,
  };
}

/** The name of a conversion of a column, which Databricks calls like the column; null for anything else. */
function nameCast(expression: unknown): string | null {
  const kind = getKind(expression);
  if (kind !== 'cast' && kind !== 'try_cast') return null;
  const { name, table } = getContent(getContent(expression, kind).this, 'column');
  return name === undefined || table != null ? null : readName(name);
}

function writeStar(writer: StatementWriter, star: SyntaxNode): SelectItem {
  const table = isObject(star.table) ? `${quoteName(readName(star.table))}.` : '';
  if (isPresent(star.replace) || isPresent(star.rename)) refuseOnFolder('* with REPLACE or RENAME');
  const except = readObjects(star.except).map(readName);
  const sources = writer.scope.sources.filter(
    ({ alias }) =>
      !isObject(star.table) || asciiLowerCase(alias ?? '') === asciiLowerCase(readName(star.table)),
  );
  if (sources.every(({ isLateral }) => isLateral)) refuseOnFolder('* of what the FROM does not read');
  if (sources.some(({ hasRepeatedNames }) => hasRepeatedNames === true))
    refuseOnFolder('* of a sub-query in which two columns have one name', 'name them with AS');
  if (sources.some(({ hasRepeatedNames }) => hasRepeatedNames === null)) writer.hasUnknownNames = true;
  const columns = new Map(sources.flatMap((source) => [...(source.columns ?? [])]));
  for (const name of except) columns.delete(asciiLowerCase(name));
  const isWhole = !isObject(star.table);
  const names = sources.flatMap(({ columns: own, merged }) =>
    [...(own?.keys() ?? [])].filter((name) => columns.has(name) && !(isWhole && merged?.has(name))),
  );
  const isKnown = sources.every((source) => source.columns !== null);
  const sql = `${table}*${except.length === 0 ? '' : ` EXCLUDE (${except.map(quoteName).join(', ')})`}`;
  return { sql, columns, names: isKnown ? names : null, isOneTable: sources.length === 1, isKnown };
}

/** Writes the columns of a generator, which stands in the FROM. */
function writeGenerated(generator: Generator, given: readonly string[], generators: string[]): SelectItem {
  const { names, columns } = nameOutputs(generator, given, 'A generator');
  const table = `blade_generated_${generators.length + 1}`;
  generators.push(`, LATERAL (${generator.sql}) AS ${table}(${generator.names.map(quoteName).join(', ')})`);
  const sql = generator.names
    .map((name, index) => `${table}.${quoteName(name)} AS ${quoteName(names[index] ?? name)}`)
    .join(', ');
  return { sql, columns, names: [...names], isKnown: true };
}

function writeGroup(writer: StatementWriter, group: unknown): string {
  if (!isObject(group)) return '';
  if (group.all === true) {
    if (findColumn(writer.scope, null, 'all') !== undefined) refuseOnFolder('GROUP BY a column named all');
    return ' GROUP BY ALL';
  }
  const items = readList(group.expressions);
  const last = getKind(items.at(-1));
  if (
    (last === 'rollup' || last === 'cube') &&
    readList(getContent(items.at(-1), last).expressions).length === 0
  )
    return ` GROUP BY ${last.toUpperCase()} (${items
      .slice(0, -1)
      .map((item) => writer.write(item).sql)
      .join(', ')})`;
  return ` GROUP BY ${items.map((item) => writeGrouped(writer, item)).join(', ')}`;
}

function writeGrouped(writer: StatementWriter, item: unknown): string {
  const { name, args } = getContent(item, 'function');
  const word = typeof name === 'string' ? name.toUpperCase() : '';
  if (!['GROUPING SETS', 'ROLLUP', 'CUBE'].includes(word)) {
    const { sql, type } = writer.write(item);
    if (type?.includes('MAP')) refuseOnFolder('GROUP BY of a map', 'group by its map_entries(), sorted');
    return sql;
  }
  checkSets(args);
  const sets = readList(args).map((set) => {
    if (getKind(set) === 'tuple')
      return `(${readList(getContent(set, 'tuple').expressions)
        .map((inner) => writer.write(inner).sql)
        .join(', ')})`;
    return getKind(set) === 'function' ? writeGrouped(writer, set) : writer.write(set).sql;
  });
  return `${word} (${sets.join(', ')})`;
}

/** Checks what GROUPING SETS group by: DuckDB takes no number for a column there, and the sum of a and b is not that of b and a. */
function checkSets(sets: unknown): void {
  const items = readList(sets).flatMap((set) =>
    getKind(set) === 'tuple' ? readList(getContent(set, 'tuple').expressions) : [set],
  );
  const isColumn = (item: unknown) => getKind(item) === 'column' || getKind(item) === 'function';
  if (items.some((item) => getKind(item) === 'literal'))
    refuseOnFolder('A number among GROUPING SETS', 'name the column');
  if (new Set(items.filter((item) => !isColumn(item)).map((item) => JSON.stringify(item))).size > 1)
    refuseOnFolder('More than one expression among GROUPING SETS', 'name them in a sub-query');
}

const SELECT_REFUSED = [
  'sort_by',
  'cluster_by',
  'distribute_by',
  'connect',
  'prewhere',
  'distinct_on',
  'top',
  'sample',
  'settings',
];
