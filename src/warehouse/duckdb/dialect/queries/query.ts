import { asciiLowerCase } from '../../../../shared/ascii-case.ts';
import { isObject } from '../../../../shared/json.ts';
import { getContent, getKind, type SyntaxNode } from '../../../../sql-check/syntax-tree.ts';
import { quoteName } from '../../text.ts';
import { describeKind, isPresent, readName, readObjects } from '../nodes.ts';
import { refuseOnFolder } from '../refused.ts';
import { type Relation, renameColumns, repeats } from '../scope.ts';
import type { StatementWriter, WrittenQuery } from '../statement-writer.ts';
import { unify } from '../written.ts';
import { writeTail } from './order.ts';
import { writeSelect } from './select.ts';
import { bindIntersect, type SetOperationNode } from './set-operations.ts';
import { writeValues } from './values.ts';

/** Writes a query of any form. */
export function writeQuery(writer: StatementWriter, node: unknown): WrittenQuery {
  const before = writer.outerColumns;
  const query = writeAny(writer, node);
  // Engines do not agree on which rows those are.
  if (writer.outerColumns > before && isPresent(getContent(node, getKind(node) ?? '').limit))
    refuseOnFolder('LIMIT in a sub-query that uses a column of the query around it', 'write MIN() or MAX()');
  return query;
}

function writeAny(writer: StatementWriter, node: unknown): WrittenQuery {
  const kind = getKind(node);
  const content = kind === null ? {} : getContent(node, kind);
  switch (kind) {
    case 'select':
      return writeCtes(writer, content, () => writeSelect(writer, content));
    case 'union':
    case 'intersect':
    case 'except':
      return writeCtes(writer, content, () => writeSetOperation(writer, bindIntersect({ kind, content })));
    case 'subquery':
    case 'paren': {
      const query = writeCtes(writer, content, () => writer.query(content.this));
      return { ...query, sql: `(${query.sql})${writeTail(writer, content)}` };
    }
    case 'values':
      return writeValues(writer, content);
    default:
      return refuseOnFolder(describeKind(kind));
  }
}

/** A query that may read itself. */
const UNKNOWN: Relation = { columns: null, hasRepeatedNames: false };

function writeCtes(writer: StatementWriter, content: SyntaxNode, write: () => WrittenQuery): WrittenQuery {
  const clause = isObject(content.with) ? content.with : null;
  if (clause === null) return write();
  const ctes = new Map(writer.scope.ctes);
  const written: string[] = [];
  const isRecursive = clause.recursive === true;
  for (const entry of readObjects(clause.ctes)) {
    const cte = isObject(entry.cte) ? entry.cte : entry;
    const name = readName(cte.alias);
    const names = readObjects(cte.columns).map(readName);
    const inner = isRecursive ? new Map(ctes).set(asciiLowerCase(name), UNKNOWN) : ctes;
    const query = writer.within({ ctes: inner }, () => writer.query(cte.this));
    const columns = names.length > 0 ? ` (${names.map(quoteName).join(', ')})` : '';
    written.push(`${quoteName(name)}${columns} AS (${query.sql})`);
    const columnsOfCte = renameColumns(query.columns, names);
    const hasRepeatedNames = names.length > 0 ? repeats(names) : query.hasRepeatedNames;
    ctes.set(asciiLowerCase(name), isRecursive ? UNKNOWN : { columns: columnsOfCte, hasRepeatedNames });
  }
  const query = writer.within({ ctes }, write);
  return { ...query, sql: `WITH ${isRecursive ? 'RECURSIVE ' : ''}${written.join(', ')} ${query.sql}` };
}

function writeSetOperation(writer: StatementWriter, { kind, content }: SetOperationNode): WrittenQuery {
  const [left, right] = [writer.query(content.left), writer.query(content.right)];
  const word = { union: 'UNION', intersect: 'INTERSECT', except: 'EXCEPT' }[kind];
  if (content.by_name === true) refuseOnFolder('UNION BY NAME');
  const all = content.all === true ? ' ALL' : '';
  const others = [...(right.columns?.values() ?? [])];
  const columns =
    left.columns === null || right.columns === null
      ? null
      : new Map(
          [...left.columns].map(([name, type], place) => [
            name,
            unify([{ type }, { type: others[place] ?? null }], 'A set operation'),
          ]),
        );
  const sql = `(${left.sql}) ${word}${all} (${right.sql})`;
  const tail = writer.inside([{ alias: null, columns }], () => writeTail(writer, content));
  return { sql: `${sql}${tail}`, columns, hasRepeatedNames: left.hasRepeatedNames };
}
