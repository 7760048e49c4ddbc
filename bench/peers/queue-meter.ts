/** Times jobs of a queue that do nothing. @param add puts a job into the queue, and resolves when it is in. */
export function createQueueMeter(add: (id: number) => Promise<unknown>) {
  const startedBy = new Map<number, (at: number) => void>();
  let toEnd = 0;
  let allEnded = () => {};
  let lastId = 0;

  async function pickups(count: number): Promise<number[]> {
    const times: number[] = [];
    for (let index = 0; index < count; index++) {
      const id = ++lastId;
      const started = new Promise<number>((resolve) => startedBy.set(id, resolve));
      const ended = untilEnded(1);
      const addedAt = performance.now();
      await add(id);
      times.push((await started) - addedAt);
      await ended;
      await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    }
    return times;
  }

  function untilEnded(count: number): Promise<void> {
    toEnd = count;
    return new Promise((resolve) => {
      allEnded = resolve;
    });
  }

  /** Jobs a second from the first that is added to the last that has ended, added by some callers at once. */
  async function rate(count: number, callers: number): Promise<number> {
    const ended = untilEnded(count);
    let left = count;
    const start = performance.now();
    await Promise.all(
      Array.from({ length: callers }, async () => {
        while (left-- > 0) await add(++lastId);
      }),
    );
    await ended;
    return (count / (performance.now() - start)) * 1000;
  }

  return {
    started(id: number): void {
      startedBy.get(id)?.(performance.now());
      startedBy.delete(id);
    },
    ended(_id: number): void {
      if (--toEnd === 0) allEnded();
    },
    async answer({ pickups: pickupCount, jobs, callers }: Record<string, unknown>): Promise<object> {
      if (typeof pickupCount === 'number') return { times: await pickups(pickupCount) };
      return { perSecond: await rate(Number(jobs), Number(callers)) };
    },
  };
}

/** Between two jobs, so that each finds the queue idle, in milliseconds. */
const IDLE_MS = 20;
