// npm run schema: writes schema.graphql again after a change of src/api.
import { writeFile } from 'node:fs/promises';
import { lexicographicSortSchema, printSchema } from 'graphql';
import { schema } from '../src/api/schema/schema.ts';

/** Prints the schema as schema.graphql holds it: in an order that does not depend on the code's. */
export function printApiSchema(): string {
  return `${printSchema(lexicographicSortSchema(schema))}\n`;
}

if (import.meta.main) await writeFile(new URL('../schema.graphql', import.meta.url), printApiSchema());
