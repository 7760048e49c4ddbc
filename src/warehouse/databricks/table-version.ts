import { z } from 'zod';
import { isObject } from '../../shared/json.ts';
import { quoteTable } from '../../sql-check/quoted-name.ts';
import { parseStatements, replaceObjects, type SyntaxNode, writeNode } from '../../sql-check/syntax-tree.ts';

const tableVersionSchema = z.object({
  /** Its full name, quoted. */
  table: z.string(),
  /** The id that Delta gives a table when it is created; another table under the same name has another. */
  id: z.string(),
  version: z.int().min(0),
  /** When the version was committed, as ISO 8601. */
  committedAt: z.string(),
  /** Whether it keeps a change feed. */
  hasChanges: z.boolean().optional(),
});

/** A version of a Delta table. */
export type DeltaVersion = z.output<typeof tableVersionSchema>;

const versionsSchema = z.array(tableVersionSchema);

/** Writes the versions of tables as the text that a plan keeps; equal versions give equal texts. */
export function formatVersions(versions: readonly DeltaVersion[]): string {
  return JSON.stringify(versions.toSorted((one, other) => (one.table < other.table ? -1 : 1)));
}

/** @throws if `formatVersions` did not write it. */
export function parseVersions(text: string): readonly DeltaVersion[] {
  return versionsSchema.parse(JSON.parse(text));
}

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
