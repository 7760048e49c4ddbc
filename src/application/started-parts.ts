import type { Logger } from 'pino';

/** The parts of the program that have started. They stop in reverse order; one that fails to is logged, and the rest still stop. */
export class StartedParts {
  readonly #stack = new AsyncDisposableStack();
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  /**
   * Adds a part.
   * @returns the part.
   */
  add<Part>(part: Part, stop: (part: Part) => unknown): Part {
    return this.#stack.adopt(part, async () => {
      try {
        await stop(part);
      } catch (error) {
        this.#log.error({ err: error }, 'a part did not stop cleanly');
      }
    });
  }

  stop(): Promise<void> {
    return this.#stack.disposeAsync();
  }
}
