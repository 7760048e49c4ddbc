import { getContent, type SyntaxNode } from '../../../../sql-check/syntax-tree.ts';
import { quoteText } from '../../text.ts';
import { toText } from '../casts.ts';
import { refuseOnFolder } from '../refused.ts';
import { type ExpressionWriter, named, type Written } from '../written.ts';

/** Writes LIKE and ILIKE. A backslash escapes, unless the statement names another character. */
export function writeLike(
  writer: ExpressionWriter,
  kind: 'like' | 'i_like',
  content: SyntaxNode,
  isNegated = false,
): Written {
  const text = writer.write(content.left);
  const word = kind === 'like' ? 'LIKE' : 'ILIKE';
  const mark = content.escape == null ? '\\' : writer.write(content.escape).literal;
  if (typeof mark !== 'string' || mark.length !== 1)
    return refuseOnFolder('ESCAPE of more than one character');
  const quantifier = typeof content.quantifier === 'string' ? content.quantifier.toUpperCase() : null;
  const one = (pattern: Written) =>
    `${toText(text)} ${isNegated ? 'NOT ' : ''}${word} ${writePattern(pattern, mark)}`;
  if (quantifier === null) {
    const pattern = writer.write(content.right);
    const ending = content.escape == null || mark === '\\' ? '' : ` ESCAPE '${mark}'`;
    const name =
      kind === 'like' ? named`${text} LIKE ${pattern}${ending}` : named`ilike(${text}, ${pattern})`;
    return { sql: `(${one(pattern)})`, type: 'BOOLEAN', name };
  }
  const { expressions } = getContent(content.right, 'tuple');
  const tuple = Array.isArray(expressions) ? expressions : null;
  const single = getContent(content.right, 'paren').this;
  const patterns =
    tuple ?? (single === undefined ? refuseOnFolder(`${word} ${quantifier} of this form`) : [single]);
  const joined = patterns
    .map((pattern) => `(${one(writer.write(pattern))})`)
    .join(quantifier === 'ALL' ? ' AND ' : ' OR ');
  return { sql: `(${joined})`, type: 'BOOLEAN', name: null };
}

function writePattern(pattern: Written, mark: string): string {
  const text = pattern.literal;
  if (typeof text === 'string') {
    for (let index = 0; index < text.length; index += 1) {
      if (text[index] !== mark) continue;
      index += 1;
      if (!['%', '_', mark].includes(text[index] ?? ''))
        refuseOnFolder('A LIKE pattern whose escape stands before another character');
    }
    if (!text.includes(mark)) return pattern.sql;
  }
  return `${toText(pattern)} ESCAPE ${quoteText(mark)}`;
}
