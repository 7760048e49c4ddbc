import type { z } from 'zod';
import { type InputIssue, InvalidInputError } from '../../shared/invalid-input.ts';

/**
 * Parses the `input` of a mutation by a schema that depends on the program, such as on its data types.
 * @throws InvalidInputError naming every field at fault.
 */
export function parseInput<Output>(schema: z.ZodType<Output>, input: unknown): Output {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new InvalidInputError(parsed.error.issues.map((issue) => toInputIssue(issue, 'input')));
}

interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** @param within the argument that contains the path, unless the path begins with it. */
export function toInputIssue({ path = [], message }: Issue, ...within: readonly string[]): InputIssue {
  const names = path.map((part) => String(typeof part === 'object' ? part.key : part));
  return { field: [...within, ...names].join('.'), message };
}
