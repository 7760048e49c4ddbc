/** A failure that a caller can expect and act on: each is a type in the API. */
export abstract class ExpectedError extends Error {}
