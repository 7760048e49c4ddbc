import { asciiLowerCase } from '../../../../shared/ascii-case.ts';
import { isObject } from '../../../../shared/json.ts';
import { getContent, getKind, type SyntaxNode, visitTree } from '../../../../sql-check/syntax-tree.ts';
import { quoteName } from '../../text.ts';
import { describeKind, isPresent, readList, readName, readObjects } from '../nodes.ts';
import { refuseOnFolder } from '../refused.ts';
import { type Relation, renameColumns, repeats, type Source } from '../scope.ts';
import type { StatementWriter, WrittenSource } from '../statement-writer.ts';
import { nameOutputs, writeGenerator } from './generators.ts';
import { writePivot } from './pivot.ts';
import { writeValues } from './values.ts';

/** Writes a FROM with its joins and lateral views. */
export function writeFrom(writer: StatementWriter, content: SyntaxNode): WrittenSource {
  const first = isObject(content.from) ? readList(content.from.expressions) : [];
  const sources: Source[] = [];
  const sql: string[] = [];
  const inScope = <Result>(work: () => Result) => writer.inside([...sources], work);
  first.forEach((node, index) => {
    const source = inScope(() => writeSource(writer, node));
    sql.push(index === 0 ? ` FROM ${source.sql}` : `, ${source.sql}`);
    sources.push(...source.sources);
  });
  for (const join of readObjects(content.joins)) sql.push(writeJoin(writer, join, sources));
  for (const view of readObjects(content.lateral_views)) {
    const generator =
      inScope(() => writeGenerator(writer, view.this)) ?? refuseOnFolder('LATERAL VIEW of this function');
    const given = readObjects(view.column_aliases).map(readName);
    const { names, columns } = nameOutputs(generator, given, 'LATERAL VIEW');
    const alias = readName(view.table_alias);
    const isOuter = view.outer === true;
    const table = `${quoteName(alias === '' ? `blade_view_${sql.length}` : alias)}(${names.map(quoteName).join(', ')})`;
    const start = sql.length === 0 ? ' FROM (SELECT 1)' : '';
    sql.push(
      isOuter
        ? `${start} LEFT JOIN LATERAL (${generator.sql}) AS ${table} ON true`
        : `${start}, LATERAL (${generator.sql}) AS ${table}`,
    );
    sources.push({ alias, columns });
  }
  return { sql: sql.join(''), sources };
}

function writeJoin(writer: StatementWriter, join: SyntaxNode, sources: Source[]): string {
  const kind = String(join.kind);
  const word = JOINS.get(kind) ?? refuseOnFolder(`A join of the kind ${kind}`);
  const source = writer.inside([...sources], () => writeSource(writer, join.this));
  const all = [...sources, ...source.sources];
  const using = readObjects(join.using).map(readName);
  const on = isPresent(join.on) ? writer.inside(all, () => ` ON ${writer.write(join.on).sql}`) : '';
  if (word !== 'JOIN' && holdsQuery(join.on))
    refuseOnFolder('A sub-query in the ON of an outer join', 'write it in the FROM');
  const known = new Set(sources.map(({ alias }) => asciiLowerCase(alias ?? '')));
  const repeated = source.sources.find(({ alias }) => alias !== null && known.has(asciiLowerCase(alias)));
  if (repeated !== undefined)
    refuseOnFolder(`The name ${repeated.alias} for two parts of a FROM`, 'give one of them an alias');
  const shared = using.length === 0 ? on : ` USING (${using.map(quoteName).join(', ')})`;
  const isFilter = kind === 'LeftSemi' || kind === 'LeftAnti' || kind === 'Semi' || kind === 'Anti';
  const merged = /NATURAL/.test(word)
    ? findShared(sources, source.sources)
    : new Set(using.map(asciiLowerCase));
  if (/NATURAL/.test(word) && merged?.size === 0)
    refuseOnFolder('NATURAL JOIN without a column that both sides have', 'write CROSS JOIN');
  if (!isFilter) sources.push(...source.sources.map((joined) => ({ ...joined, merged })));
  const needsOn = shared === '' && !/CROSS|NATURAL/.test(word);
  const joined = word === 'CROSS JOIN' && shared !== '' ? 'JOIN' : word;
  return ` ${needsOn && word === 'JOIN' ? 'CROSS JOIN' : joined} ${source.sql}${needsOn && word !== 'JOIN' ? ' ON true' : shared}`;
}

function holdsQuery(node: unknown): boolean {
  let found = false;
  visitTree(node, (key) => {
    if (key === 'select' || key === 'values') found = true;
  });
  return found;
}

/** The columns that both sides of a join have; null where they are not known. */
function findShared(left: readonly Source[], right: readonly Source[]): ReadonlySet<string> | null {
  if ([...left, ...right].some(({ columns }) => columns === null)) return null;
  const names = left.flatMap(({ columns }) => [...(columns?.keys() ?? [])]);
  return new Set(names.filter((name) => right.some(({ columns }) => columns?.has(name))));
}

function writeSource(writer: StatementWriter, node: unknown): WrittenSource {
  const kind = getKind(node);
  const content = kind === null ? {} : getContent(node, kind);
  switch (kind) {
    case 'table':
      return writeTable(writer, content);
    case 'values': {
      const { sql, ...relation } = writeValues(writer, content);
      return writeAlias(`(${sql})`, relation, content, 'blade_values', true);
    }
    case 'subquery': {
      if (!QUERIES.has(getKind(content.this) ?? '')) {
        const inner = writeSource(writer, content.this);
        return { sql: `(${inner.sql})`, sources: inner.sources };
      }
      const write = () => writer.query({ [kind]: { ...content, alias: null, column_aliases: [] } });
      const { sql, ...relation } =
        content.lateral === true ? writer.inside([], write) : writer.within({ sources: [] }, write);
      const isValues = getKind(content.this) === 'values';
      return writeAlias(
        isValues || sql.startsWith('(') ? sql : `(${sql})`,
        relation,
        content,
        'blade_query',
        isValues,
      );
    }
    case 'alias': {
      const inner = content.this;
      const names = readObjects(content.column_aliases);
      return writeGeneratorSource(writer, inner, readName(content.alias), names.map(readName));
    }
    case 'function':
    case 'explode':
      return writeGeneratorSource(writer, node, '', []);
    case 'lateral':
      return writeGeneratorSource(
        writer,
        content.this,
        typeof content.alias === 'string' ? content.alias : readName(content.alias),
        readList(content.column_aliases).map((name) => (typeof name === 'string' ? name : readName(name))),
      );
    case 'joined_table': {
      const sources: Source[] = [];
      const left = writeSource(writer, content.left);
      sources.push(...left.sources);
      const joins = readObjects(content.joins).map((join) => writeJoin(writer, join, sources));
      const alias = readName(content.alias);
      return {
        sql: `(${left.sql}${joins.join('')})${alias === '' ? '' : ` AS ${quoteName(alias)}`}`,
        sources,
      };
    }
    case 'paren': {
      const inner = writeSource(writer, content.this);
      return { sql: `(${inner.sql})`, sources: inner.sources };
    }
    case 'pivot':
      return writePivot(writer, content, writeSource(writer, content.this));
    default:
      return refuseOnFolder(describeKind(kind));
  }
}

function writeTable(writer: StatementWriter, content: SyntaxNode): WrittenSource {
  for (const key of ['time_travel', 'version', 'changes', 'hints', 'for_system_time', 'when'])
    if (isPresent(content[key])) refuseOnFolder(describeKind(key));
  const parts = [content.catalog, content.schema, content.name].map(readName).filter((name) => name !== '');
  const sql = parts.map(quoteName).join('.');
  const cte = parts.length === 1 ? writer.scope.ctes.get(asciiLowerCase(parts[0] ?? '')) : undefined;
  const known = cte ?? {
    columns: writer.tables.get(asciiLowerCase(parts.join('.'))) ?? null,
    hasRepeatedNames: false,
  };
  const aliased = writeAlias(sql, known, content, parts.at(-1) ?? '', false, true);
  return { sql: `${aliased.sql}${writeSample(writer, content.table_sample)}`, sources: aliased.sources };
}

function writeSample(writer: StatementWriter, sample: unknown): string {
  if (!isObject(sample)) return '';
  const size = writer.write(sample.size).sql;
  if (isPresent(sample.seed)) refuseOnFolder('TABLESAMPLE with a seed');
  return sample.is_percent === true || sample.method === 'Percent'
    ? ` TABLESAMPLE BERNOULLI (${size} PERCENT)`
    : sample.method === 'Row'
      ? ` TABLESAMPLE RESERVOIR (${size} ROWS)`
      : refuseOnFolder('TABLESAMPLE of this kind');
}

function writeAlias(
  sql: string,
  known: Relation,
  content: SyntaxNode,
  fallback: string,
  isValues: boolean,
  isTable = false,
): WrittenSource {
  const alias = readName(content.alias);
  const given = readObjects(content.column_aliases).map(readName);
  const names = given.length > 0 ? given : isValues ? [...(known.columns?.keys() ?? [])] : [];
  const columns = renameColumns(known.columns, names);
  const hasRepeatedNames = given.length > 0 ? repeats(given) : known.hasRepeatedNames;
  const list = names.length === 0 ? '' : `(${names.map(quoteName).join(', ')})`;
  const as =
    alias === '' && list === '' && isTable ? '' : ` AS ${quoteName(alias === '' ? fallback : alias)}${list}`;
  return {
    sql: `${sql}${as}`,
    sources: [{ alias: alias === '' ? fallback : alias, columns, hasRepeatedNames }],
  };
}

function writeGeneratorSource(
  writer: StatementWriter,
  node: unknown,
  alias: string,
  given: readonly string[],
): WrittenSource {
  const generator = writeGenerator(writer, node) ?? refuseOnFolder(describeKind(getKind(node)));
  const { names, columns } = nameOutputs(generator, given, 'A generator');
  const table = alias === '' ? 'blade_generated' : alias;
  return {
    sql: `LATERAL (${generator.sql}) AS ${quoteName(table)}(${names.map(quoteName).join(', ')})`,
    sources: [{ alias: table, columns }],
  };
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
