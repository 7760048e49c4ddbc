import { Prisma } from './generated/prisma/client.ts';

/**
 * Writes the list of columns of a raw SELECT or RETURNING, each under the name of its field.
 * @param fields as Prisma names them, such as `dataType`.
 * @param table the name or alias of their table, if the statement has several.
 */
export function selectColumns(fields: Iterable<string>, table?: string): Prisma.Sql {
  const prefix = table === undefined ? '' : `${table}.`;
  return Prisma.raw([...fields].map((field) => `${prefix}"${toColumn(field)}" as "${field}"`).join(', '));
}

/** Converts the name of a field to that of its column, as prisma/schema.prisma maps all of them. */
export function toColumn(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
