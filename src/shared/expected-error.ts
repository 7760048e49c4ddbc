/** A failure that a caller can expect and act on: each is a type in the API. */
export abstract class ExpectedError extends Error {
  /** For programs: that of `JobNotFoundError` is `JOB_NOT_FOUND`. */
  get code(): string {
    return toErrorCode(this.name);
  }
}

/** The code of the error with this name. */
export function toErrorCode(name: string): string {
  return name
    .replace(/Error$/, '')
    .replace(/(?<=[a-z])(?=[A-Z])/g, '_')
    .toUpperCase();
}
