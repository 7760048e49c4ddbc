import { ExpectedError } from './expected-error.ts';

export interface InputIssue {
  /** The input field at fault, as a path from the mutation's argument: `input.maxItems`. */
  readonly field: string;
  /** What is wrong, and what would work. */
  readonly message: string;
}

/** Some input is invalid. Nothing was started or changed. */
export class InvalidInputError extends ExpectedError {
  override readonly name = 'InvalidInputError';
  readonly issues: readonly InputIssue[];

  constructor(issues: readonly InputIssue[]) {
    super(issues.map(({ field, message }) => `${field}: ${message}`).join('; '));
    this.issues = issues;
  }
}
