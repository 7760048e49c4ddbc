/**
 * Runs once for all calls of a while, and not again before it has ended.
 * @param waitMs how long calls are gathered, in milliseconds.
 */
export function gathered(run: () => Promise<unknown>, waitMs: number): { soon(): void; cancel(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isRunning = false;
  function soon(): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      if (isRunning) {
        soon();
        return;
      }
      isRunning = true;
      void run().finally(() => {
        isRunning = false;
      });
    }, waitMs);
  }
  return {
    soon,
    cancel() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
