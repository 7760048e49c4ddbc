import { isObject } from '../../shared/json.ts';
import { quoteTable } from '../../sql-check/quoted-name.ts';
import { parseStatements, replaceObjects, type SyntaxNode, writeNode } from '../../sql-check/syntax-tree.ts';
import type { DeltaVersion } from './table-version.ts';

/** Makes a statement read tables as of these versions, unless it names another version itself. */
export function pinVersions(sql: string, versions: readonly DeltaVersion[]): string {
  const parsed = parseStatements(sql);
  const [statement] = parsed.ok ? parsed.statements : [];
  if (statement === undefined) throw new Error('a checked statement cannot be parsed');
  const byTable = new Map(versions.map(({ table, version }) => [table, version]));
  const pinned = replaceObjects(statement, (node) => {
    const { table: content } = node;
    if (!isObject(content) || isObject(content.version)) return null;
    const [catalog, schema, table] = [content.catalog, content.schema, content.name].map(readName);
    const version =
      catalog && schema && table ? byTable.get(quoteTable({ catalog, schema, table })) : undefined;
    return version === undefined ? null : { ...node, table: { ...content, version: createVersion(version) } };
  });
  return writeNode(pinned as SyntaxNode);
}

function readName(identifier: unknown): string {
  return isObject(identifier) ? String(identifier.name) : '';
}

/** `VERSION AS OF <version>`, as the parser has it. */
function createVersion(version: number): SyntaxNode {
  const name = { name: 'VERSION', quoted: false, trailing_comments: [] };
  return {
    this: { identifier: name },
    kind: 'AS OF',
    expression: { literal: { literal_type: 'number', value: String(version) } },
  };
}
