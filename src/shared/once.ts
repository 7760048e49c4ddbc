/** Returns a function that calls another the first time, and returns that result each time. */
export function once<Result>(call: () => Result): () => Result {
  let called: { readonly result: Result } | undefined;
  return () => {
    called ??= { result: call() };
    return called.result;
  };
}
