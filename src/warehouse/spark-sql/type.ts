/**
 * Formats the type of a column from DESCRIBE (`struct<a:int,b:decimal(5,2)>`) as `STRUCT<a: INT, b: DECIMAL(5,2)>`. Names of
 * fields do not change.
 */
export function formatType(described: string): string {
  const type = described.trim();
  const [, outer, inner] = /^(array|map|struct)\s*<(.*)>$/is.exec(type) ?? [];
  if (outer === undefined || inner === undefined) return type.toUpperCase();
  const parts = splitParts(inner);
  const written = /^struct$/i.test(outer) ? parts.map(formatField) : parts.map(formatType);
  return `${outer.toUpperCase()}<${written.join(', ')}>`;
}

function formatField(field: string): string {
  const [, quoted, plain, type] = /^\s*(?:(`(?:[^`]|``)*`)|([^:]*))\s*:\s*(.*)$/s.exec(field) ?? [];
  const name = quoted ?? (plain === undefined || /^\w+$/.test(plain) ? plain : `\`${plain}\``);
  return name === undefined || type === undefined ? field : `${name}: ${formatType(type)}`;
}

/** Splits a list at commas outside brackets and quotes. */
function splitParts(list: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  let isQuoted = false;
  for (let index = 0; index < list.length; index += 1) {
    const character = list[index];
    if (character === '`') isQuoted = !isQuoted;
    if (isQuoted) continue;
    if (character === '<' || character === '(') depth += 1;
    if (character === '>' || character === ')') depth -= 1;
    if (character === ',' && depth === 0) {
      parts.push(list.slice(start, index));
      start = index + 1;
    }
  }
  parts.push(list.slice(start));
  return parts;
}
