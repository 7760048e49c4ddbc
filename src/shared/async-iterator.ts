/**
 * Creates an iterator that can be ended while it waits for its next value; a generator would end only after that value.
 * @param next returns the next value, or `DONE`.
 * @param end ends the source of the values, so that a pending `next` resolves.
 */
export function createIterator<Value>(
  next: () => Promise<IteratorResult<Value, undefined>>,
  end: () => unknown = () => {},
): AsyncIterableIterator<Value> {
  const iterator: AsyncIterableIterator<Value> = {
    next,
    async return() {
      await end();
      return DONE;
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}

/** Maps each value of an iterator, one at a time. Ending it ends the source at once. */
export function mapIterator<Value, Result>(
  source: AsyncIterable<Value>,
  map: (value: Value) => Result | Promise<Result>,
): AsyncIterableIterator<Result> {
  const values = source[Symbol.asyncIterator]();
  return createIterator<Result>(
    async () => {
      const result = await values.next();
      return result.done ? DONE : { done: false, value: await map(result.value) };
    },
    () => values.return?.(),
  );
}

/** The result of an iterator that has ended. */
export const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };
