export interface Refusal {
  readonly ok: false;
  /** What is wrong and what would be right, for the person who wrote it. */
  readonly message: string;
}

class RefusalError extends Error {}

/** Ends the check of a statement. */
export function refuse(message: string): never {
  throw new RefusalError(message);
}

/** Runs a check and returns its refusal, if there is one, as a value. */
export function refusalOf<Checked>(check: () => Checked): Checked | Refusal {
  try {
    return check();
  } catch (error) {
    if (error instanceof RefusalError) return { ok: false, message: error.message };
    throw error;
  }
}
