import { sizeRefusal } from './size-refusal.ts';
import { listIn, nodeIn, type TreeNode } from './tree.ts';
import { countNodes, first, multiplied, type Value } from './value-size.ts';

/** The text that a constant is, or null where the node is something else. */
export function textIn(node: TreeNode | undefined): string | null {
  const value = node?.class === 'CONSTANT' ? nodeIn(node, 'value').value : undefined;
  return typeof value === 'string' ? value : null;
}

/** A whole number, also one that is cast to another type of numbers. */
export function wholeIn(node: TreeNode | undefined): number | null {
  if (node?.class === 'CAST' && node.try_cast === false) {
    const isWhole = /^(?:TINYINT|SMALLINT|INTEGER|BIGINT)$/.test(String(nodeIn(node, 'cast_type').id));
    return isWhole ? wholeIn(nodeIn(node, 'child')) : null;
  }
  if (node?.class === 'FUNCTION' && node.function_name === '-' && listIn(node, 'children').length === 1) {
    const value = wholeIn(listIn(node, 'children')[0]);
    return value === null ? null : -value;
  }
  const constant = node?.class === 'CONSTANT' ? nodeIn(node, 'value') : {};
  const isWhole = /^(?:TINYINT|SMALLINT|INTEGER|BIGINT)$/.test(String(nodeIn(constant, 'type').id));
  return isWhole && typeof constant.value === 'number' ? constant.value : null;
}

/** What a format adds to its arguments: itself, and the widths that it names. */
export function readFormat(node: TreeNode | undefined): { bytes: number; insertions: number } {
  const format = textIn(node);
  if (format === null || /%[^a-zA-Z%]*\*/.test(format))
    throw sizeRefusal('printf with a format that is no constant text, or with widths in its arguments,');
  const insertions = Math.max((format.match(/%/g) ?? []).length, 1);
  const widths = (format.match(/\d+/g) ?? []).reduce((sum, digits) => sum + Number(digits), 0);
  // The longest number without an exponent has some 310 digits.
  const bytes = Math.min(
    format.length + widths + (/%[^a-zA-Z%]*[fF]/.test(format) ? 320 * insertions : 0),
    MAX_WHOLE,
  );
  return { bytes, insertions };
}

const MAX_WHOLE = 2 ** 31 - 1;

/** What replacing a constant by a constant makes; null where it is not known before. */
export function replaced(values: readonly Value[], [, from, to]: readonly TreeNode[]): Value | null {
  const [part, by] = [textIn(from), textIn(to)];
  if (part === null || by === null) return null;
  const factor = Math.max(Buffer.byteLength(by) / Math.max(Buffer.byteLength(part), 1), 1);
  return { ...multiplied(first(values), factor), leaves: 1, depth: 1, nodes: countNodes(values) };
}

/** What replacing the matches of an expression by a constant makes; null where it is not known before. */
export function replacedByPattern(
  values: readonly Value[],
  [, , to, options]: readonly TreeNode[],
): Value | null {
  const [by, flags] = [textIn(to), options === undefined ? '' : textIn(options)];
  if (by === null || flags === null) return null;
  const repeated = (by.match(/\\/g) ?? []).length;
  const inserted = flags.includes('g') ? Buffer.byteLength(by) : 0;
  const made = multiplied(first(values), 1 + repeated + inserted);
  return {
    ...made,
    bytes: made.bytes + Buffer.byteLength(by),
    leaves: 1,
    depth: 1,
    nodes: countNodes(values),
  };
}

/** How many items a series between constants has; null where it is not known before. */
export function seriesLength(children: readonly TreeNode[]): number | null {
  const [one, other, step] = children.map(wholeIn);
  if (one === undefined || one === null) return null;
  if (other === undefined) return Math.abs(one) + 1;
  if (other === null || step === null) return null;
  return Math.abs(other - one) / Math.max(Math.abs(step ?? 1), 1) + 1;
}
