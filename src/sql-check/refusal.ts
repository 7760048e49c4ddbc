export interface Refusal {
  readonly ok: false;
  /** What was refused, why, and what would work. */
  readonly message: string;
}

class RefusalError extends Error {}

/** Ends the check of a statement with a refusal. */
export function refuse(message: string): never {
  throw new RefusalError(message);
}

/** Runs a check, and returns its refusal, if any, as a value. */
export function catchRefusal<Checked>(check: () => Checked): Checked | Refusal {
  try {
    return check();
  } catch (error) {
    if (error instanceof RefusalError) return { ok: false, message: error.message };
    throw error;
  }
}
