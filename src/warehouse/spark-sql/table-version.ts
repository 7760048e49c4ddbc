import { z } from 'zod';

const tableVersionSchema = z.object({
  /** Its full name, quoted. */
  table: z.string(),
  /** The id that Delta gives a table when it is created; another table under the same name has another. */
  id: z.string(),
  version: z.int().min(0),
  /** When the version was committed, as ISO 8601. */
  committedAt: z.string(),
  /** Whether it keeps a change feed. */
  hasChanges: z.boolean().optional(),
});

/** A version of a Delta table. */
export type DeltaVersion = z.output<typeof tableVersionSchema>;

const versionsSchema = z.array(tableVersionSchema);

/** Writes the versions of tables as the text that a plan keeps; equal versions give equal texts. */
export function formatVersions(versions: readonly DeltaVersion[]): string {
  return JSON.stringify(versions.toSorted((one, other) => (one.table < other.table ? -1 : 1)));
}

/** @throws if `formatVersions` did not write it. */
export function parseVersions(text: string): readonly DeltaVersion[] {
  return versionsSchema.parse(JSON.parse(text));
}
