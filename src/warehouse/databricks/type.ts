/**
 * The type of a column as DESCRIBE writes it (`struct<a:int,b:decimal(5,2)>`) in the way this product writes types:
 * `STRUCT<a: INT, b: DECIMAL(5,2)>`. Names of fields stay as they are.
 */
export function typeName(described: string): string {
  const type = described.trim();
  const [, outer, inner] = /^(array|map|struct)\s*<(.*)>$/is.exec(type) ?? [];
  if (outer === undefined || inner === undefined) return type.toUpperCase();
  const parts = partsOf(inner);
  const written = /^struct$/i.test(outer) ? parts.map(fieldName) : parts.map(typeName);
  return `${outer.toUpperCase()}<${written.join(', ')}>`;
}

function fieldName(field: string): string {
  const [, quoted, plain, type] = /^\s*(?:(`(?:[^`]|``)*`)|([^:]*))\s*:\s*(.*)$/s.exec(field) ?? [];
  const name = quoted ?? (plain === undefined || /^\w+$/.test(plain) ? plain : `\`${plain}\``);
  return name === undefined || type === undefined ? field : `${name}: ${typeName(type)}`;
}

/** Splits at the commas that stand outside of all brackets and quotes. */
function partsOf(list: string): string[] {
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
