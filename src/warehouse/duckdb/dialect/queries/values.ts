import { getContent, type SyntaxNode } from '../../../../sql-check/syntax-tree.ts';
import { readList, readObjects } from '../nodes.ts';
import type { StatementWriter, WrittenQuery } from '../statement-writer.ts';
import { unify } from '../written.ts';

/** Writes VALUES. */
export function writeValues(writer: StatementWriter, content: SyntaxNode): WrittenQuery {
  const rows = readObjects(content.expressions).map((row) =>
    readList(row.expressions).map((item) => {
      const value = getContent(item, 'alias');
      return writer.write('this' in value ? value.this : item);
    }),
  );
  const width = rows[0]?.length ?? 0;
  const types = Array.from({ length: width }, (_, column) =>
    unify(
      rows.map((row) => ({ type: row[column]?.type ?? null })),
      'A column of VALUES',
    ),
  );
  const sql = `VALUES ${rows.map((row) => `(${row.map((value) => value.sql).join(', ')})`).join(', ')}`;
  const columns = new Map(types.map((type, index) => [`col${index + 1}`, type] as const));
  return { sql, columns, hasRepeatedNames: false };
}
