/** A failure that a caller can expect and act on: the API gives each as a type of its own. */
export abstract class ExpectedError extends Error {}
