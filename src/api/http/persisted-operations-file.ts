import { readFile } from 'node:fs/promises';
import { z } from 'zod';

/** The forms that tools write: an object of texts by hash (Relay, GraphQL Code Generator), or Apollo's manifest. */
const listSchema = z.union([
  z
    .object({
      format: z.literal('apollo-persisted-query-manifest'),
      operations: z.array(z.object({ id: z.string().min(1), body: z.string().min(1) })),
    })
    .transform(({ operations }) => new Map(operations.map(({ id, body }) => [id, body]))),
  z.record(z.string(), z.string().min(1)).transform((texts) => new Map(Object.entries(texts))),
]);

/**
 * Reads the file of BLADE_PERSISTED_OPERATIONS.
 * @returns the texts of the operations by their ids, which are mostly hashes.
 */
export async function readPersistedOperations(path: string): Promise<ReadonlyMap<string, string>> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new Error(`BLADE_PERSISTED_OPERATIONS names a file that cannot be read as JSON: ${path}`, {
      cause: error,
    });
  }
  const { success, data } = listSchema.safeParse(content);
  if (success) return data;
  throw new Error(
    `BLADE_PERSISTED_OPERATIONS must name an object of operations by their hashes, or a manifest of Apollo: ${path}`,
  );
}
