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

/**
 * Writes an INSERT of records, without its ON CONFLICT and RETURNING. The database fills in the columns that they lack.
 * @param records with the same fields, as Prisma names them, and values that JSON has.
 */
export function insertRecords(
  table: string,
  records: readonly Readonly<Record<string, unknown>>[],
): Prisma.Sql {
  const fields = Object.keys(records[0] ?? {}).filter((field) => records[0]?.[field] !== undefined);
  const columns = Prisma.raw(fields.map((field) => `"${toColumn(field)}"`).join(', '));
  const rows = records.map((record) =>
    Object.fromEntries(fields.map((field) => [toColumn(field), record[field]])),
  );
  // Lone surrogates become U+FFFD, as in a text parameter: jsonb refuses them.
  const json = JSON.stringify(rows, (_key, value) =>
    typeof value === 'string' ? value.toWellFormed() : value,
  );
  return Prisma.sql`insert into ${Prisma.raw(table)} (${columns})
    select ${columns} from jsonb_populate_recordset(null::${Prisma.raw(table)}, ${json}::jsonb)`;
}

/** Converts the name of a field to that of its column, as prisma/schema.prisma maps all of them. */
export function toColumn(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
