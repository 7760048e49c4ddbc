import type { z } from 'zod';
import {
  type InputIssue,
  type InputIssueCode,
  InvalidInputError,
  isIssueParams,
} from '../../shared/invalid-input.ts';

/**
 * Parses the `input` of a mutation by a schema that depends on the program, such as on its data types.
 * @throws InvalidInputError naming every field at fault.
 */
export async function parseInput<Output>(schema: z.ZodType<Output>, input: unknown): Promise<Output> {
  const parsed = await schema.safeParseAsync(input);
  if (parsed.success) return parsed.data;
  throw new InvalidInputError(parsed.error.issues.map((issue) => toInputIssue(issue, 'input')));
}

/** An issue of zod, or of another library that follows Standard Schema. */
interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
  readonly code?: unknown;
  readonly params?: unknown;
}

/** @param within the argument that contains the path, unless the path begins with it. */
export function toInputIssue(issue: Issue, ...within: readonly string[]): InputIssue {
  const { path = [], message } = issue;
  const names = path.map((part) => String(typeof part === 'object' ? part.key : part));
  return { path: [...within, ...names], code: toIssueCode(issue), message };
}

function toIssueCode({ code, params }: Issue): InputIssueCode {
  switch (code) {
    case 'too_small':
    case 'too_big':
      return 'OUT_OF_RANGE';
    case 'invalid_value':
    case 'unrecognized_keys':
      return 'UNKNOWN';
    default:
      return isIssueParams(params) ? params.code : 'INVALID';
  }
}
