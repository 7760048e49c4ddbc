import { asciiLowerCase } from '../../shared/ascii-case.ts';
import { Prisma } from '../generated/prisma/client.ts';

/**
 * Creates the condition that one of some columns contains a text, in any case of the letters A to Z. The collation C changes
 * only these, whatever the language of the database.
 * @param columns SQL expressions.
 */
export function containsText(columns: readonly Prisma.Sql[], text: string): Prisma.Sql {
  const wanted = asciiLowerCase(text);
  const found = columns.map(
    (column) => Prisma.sql`strpos(lower(${column} collate "C"), ${wanted}::text) > 0`,
  );
  return Prisma.sql`(${Prisma.join(found, ' or ')})`;
}
