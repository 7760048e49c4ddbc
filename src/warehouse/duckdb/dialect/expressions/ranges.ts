import { getContent, getKind, type SyntaxNode } from '../../../../sql-check/syntax-tree.ts';
import { isPresent, readList } from '../nodes.ts';
import { writeComparison } from '../operators.ts';
import { refuseOnFolder } from '../refused.ts';
import type { StatementWriter } from '../statement-writer.ts';
import { named, type Written } from '../written.ts';

/** Writes IN with a list or a query. */
export function writeIn(writer: StatementWriter, content: SyntaxNode): Written {
  const value = writeCompared(writer, content.this);
  const negated = content.not === true ? 'NOT ' : '';
  if (isPresent(content.query)) {
    const { sql } = writer.inside([], () => writer.query(content.query));
    if (getKind(content.this) === 'tuple') return { ...compareSeveral(writer, content, sql), name: null };
    const test = `(${value.sql} ${negated}IN (${sql}))`;
    // Where a null leaves it open, Databricks selects false.
    const isSelected = writer.scope.isSelected === true;
    return { sql: isSelected ? `coalesce(${test}, false)` : test, type: 'BOOLEAN', name: null };
  }
  const items = readList(content.expressions).map((item) => writeCompared(writer, item));
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

/**
 * Writes IN with several values and a query: a row that differs from them in nothing but nulls decides neither IN nor NOT IN.
 */
function compareSeveral(
  writer: StatementWriter,
  content: SyntaxNode,
  query: string,
): Pick<Written, 'sql' | 'type'> {
  const values = readList(getContent(content.this, 'tuple').expressions).map((value) => writer.write(value));
  const names = values.map((_value, index) => `blade_in_${index + 1}`);
  const pairs = values.map(({ sql }, index) => `(${sql} = blade_in.${names[index]})`);
  const find = (condition: string) =>
    `EXISTS (SELECT 1 FROM (${query}) AS blade_in(${names.join(', ')}) WHERE ${condition})`;
  const sql =
    content.not === true
      ? `(NOT ${find(pairs.map((pair) => `coalesce(${pair}, true)`).join(' AND '))})`
      : find(pairs.join(' AND '));
  return { sql, type: 'BOOLEAN' };
}

/** Writes an operand of a comparison, which may be several values in parentheses. */
export function writeCompared(writer: StatementWriter, node: unknown): Written {
  if (getKind(node) !== 'tuple') return writer.write(node);
  const items = readList(getContent(node, 'tuple').expressions).map((item) => writer.write(item));
  return { sql: `(${items.map(({ sql }) => sql).join(', ')})`, type: 'STRUCT', name: null };
}

/** Writes BETWEEN. */
export function writeBetween(writer: StatementWriter, content: SyntaxNode): Written {
  const [value, low, high] = [content.this, content.low, content.high].map((part) => writer.write(part));
  if (value === undefined || low === undefined || high === undefined)
    return refuseOnFolder('BETWEEN of this form');
  if (isPresent(content.symmetric)) refuseOnFolder('BETWEEN SYMMETRIC');
  const [from, to] = [writeComparison('gte', value, low), writeComparison('lte', value, high)];
  const isPlain = from.sql === `(${value.sql} >= ${low.sql})` && to.sql === `(${value.sql} <= ${high.sql})`;
  const inner = isPlain ? `${value.sql} BETWEEN ${low.sql} AND ${high.sql}` : `${from.sql} AND ${to.sql}`;
  const negated = content.not === true ? 'NOT ' : '';
  return {
    sql: `(${negated}(${inner}))`,
    type: 'BOOLEAN',
    name: negated === '' ? named`between(${value}, ${low}, ${high})` : null,
  };
}
