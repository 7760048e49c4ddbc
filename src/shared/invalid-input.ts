import { ExpectedError } from './expected-error.ts';
import { isObject } from './json.ts';

export interface InputIssue {
  /** The input field at fault, from the mutation's argument: `['input', 'maxItems']`. */
  readonly path: readonly string[];
  readonly code: InputIssueCode;
  /** What is wrong, and what would work. */
  readonly message: string;
}

/** What is wrong with an input field, for programs. */
export const INPUT_ISSUE_CODES = {
  INVALID: 'It is not of the right form.',
  REQUIRED: 'It is missing.',
  OUT_OF_RANGE: 'It is too small or too large, too short or too long.',
  UNKNOWN: 'It names something that does not exist.',
  DUPLICATE: 'It has to be unique and is not.',
  CONFLICT: 'It contradicts another field.',
  NOT_ALLOWED: 'It is more than you may see or name.',
} as const;

export type InputIssueCode = keyof typeof INPUT_ISSUE_CODES;

/** The `params` with which a check in a zod schema sets the code of its issue. */
export interface IssueParams {
  readonly code: InputIssueCode;
}

export function isIssueParams(params: unknown): params is IssueParams {
  return isObject(params) && typeof params.code === 'string' && Object.hasOwn(INPUT_ISSUE_CODES, params.code);
}

/** @param field the path of the field, with dots: `input.maxItems`. */
export function createIssue(field: string, code: InputIssueCode, message: string): InputIssue {
  return { path: field.split('.'), code, message };
}

/** Some input is invalid. Nothing was started or changed. */
export class InvalidInputError extends ExpectedError {
  override readonly name = 'InvalidInputError';
  readonly issues: readonly InputIssue[];

  constructor(issues: readonly InputIssue[]) {
    super(issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
    this.issues = issues;
  }
}
