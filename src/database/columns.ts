import { Prisma } from './generated/prisma/client.ts';

/**
 * Columns for the list of a raw SELECT or RETURNING, each under the name of its field.
 * @param fields as Prisma knows them, such as `dataType`.
 * @param table the name or alias that they are of; none where the statement has but one.
 */
export function selectColumns(fields: Iterable<string>, table?: string): Prisma.Sql {
  const prefix = table === undefined ? '' : `${table}.`;
  return Prisma.raw(
    [...fields].map((field) => `${prefix}"${columnOfField(field)}" as "${field}"`).join(', '),
  );
}

/** The name of a field's column: prisma/schema.prisma maps all of them so. */
export function columnOfField(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
