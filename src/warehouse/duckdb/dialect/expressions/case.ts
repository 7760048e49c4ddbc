import type { SyntaxNode } from '../../../../sql-check/syntax-tree.ts';
import { isPresent, readList } from '../nodes.ts';
import { writeComparison } from '../operators.ts';
import type { StatementWriter } from '../statement-writer.ts';
import { named, unify, type Written } from '../written.ts';

/** Writes CASE in both of its forms. */
export function writeCase(writer: StatementWriter, content: SyntaxNode): Written {
  const operand = isPresent(content.operand) ? writer.write(content.operand) : null;
  const whens = readList(content.whens).map((branch) => {
    const [when, then] = Array.isArray(branch) ? branch : [];
    return [writer.write(when), writer.write(then)] as const;
  });
  const otherwise = isPresent(content.else_) ? writer.write(content.else_) : null;
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
