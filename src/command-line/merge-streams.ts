/** Opens a stream that a signal ends. */
type Open<Value> = (signal: AbortSignal) => AsyncIterable<Value>;

/** Yields what comes from all streams until all have ended, or one fails. None is left open. */
export async function* mergeStreams<Value>(opens: readonly Open<Value>[]): AsyncGenerator<Value, void> {
  const ending = new AbortController();
  const readNext = async (stream: AsyncIterator<Value>) => ({ stream, result: await stream.next() });
  const pending = new Map<AsyncIterator<Value>, ReturnType<typeof readNext>>();
  for (const open of opens) {
    const stream = open(ending.signal)[Symbol.asyncIterator]();
    pending.set(stream, readNext(stream));
  }
  try {
    while (pending.size > 0) {
      const { stream, result } = await Promise.race(pending.values());
      if (result.done) {
        pending.delete(stream);
        continue;
      }
      pending.set(stream, readNext(stream));
      yield result.value;
    }
  } finally {
    ending.abort();
    await Promise.allSettled(pending.values());
  }
}
