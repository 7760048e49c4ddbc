import type { KnownType } from './types.ts';

/** The types of the items of an array, or of the keys and values of a map. */
export function innerTypes(type: KnownType): readonly KnownType[] {
  const [, kind, inner = ''] = /^(ARRAY|MAP)<(.*)>$/.exec(type ?? '') ?? [];
  if (kind === undefined) return [];
  const parts = splitTypes(inner).map((part) => (part === '?' ? null : part));
  return kind === 'ARRAY' ? [parts.length === 1 ? (parts[0] ?? null) : null] : parts;
}

/** Writes the type of a struct from its fields. */
export function structType(fields: readonly (readonly [string, KnownType])[]): KnownType {
  if (fields.some(([name]) => !/^\w+$/.test(name))) return 'STRUCT';
  return `STRUCT<${fields.map(([name, type]) => `${name}: ${type ?? '?'}`).join(', ')}>`;
}

/** The fields of a struct, or null where they are not known. */
export function structFields(type: KnownType): readonly (readonly [string, KnownType])[] | null {
  const [, inner] = /^STRUCT<(.*)>$/.exec(type ?? '') ?? [];
  if (inner === undefined) return null;
  return splitTypes(inner).map((part) => {
    const colon = part.indexOf(':');
    const field = part.slice(colon + 1).trim();
    return [part.slice(0, colon).trim(), field === '?' ? null : field] as const;
  });
}

/** Writes the type of an array from that of its items. */
export function arrayType(item: KnownType | undefined): KnownType {
  return `ARRAY<${item ?? '?'}>`;
}

/** Writes the type of a map from those of its keys and values. */
export function mapType(key: KnownType | undefined, value: KnownType | undefined): KnownType {
  return `MAP<${key ?? '?'}, ${value ?? '?'}>`;
}

/** Splits types at their commas, where none is within another. */
function splitTypes(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (character === '<' || character === '(') depth += 1;
    if (character === '>' || character === ')') depth -= 1;
    if (character === ',' && depth === 0) {
      parts.push(text.slice(start, index).trim());
      start = index + 1;
    }
  }
  return [...parts, text.slice(start).trim()];
}
