/**
 * Runs once for all calls within a while, and never twice at the same time.
 * @param waitMs how long calls are collected before a run, in milliseconds.
 */
export function coalesce(run: () => Promise<unknown>, waitMs: number): { soon(): void; cancel(): void } {
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
