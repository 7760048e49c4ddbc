import { createIterator, DONE } from '../../../shared/async-iterator.ts';

/**
 * Sends the results of a subscription as messages of graphql-transport-ws. A result that many subscribers share is
 * serialized once; graphql-ws would serialize it for each of them.
 * @param id the client's id for the subscription.
 * @param send resolves when the message has left, so that the next result is only made for a client that reads.
 * @returns an iterator without values that ends with the results.
 */
export function sendResults(
  send: (message: string) => Promise<void>,
  id: string,
  results: AsyncIterable<object>,
): AsyncIterableIterator<never> {
  const source = results[Symbol.asyncIterator]();
  const head = `{"id":${JSON.stringify(id)},"type":"next","payload":`;
  return createIterator<never>(
    async () => {
      for (;;) {
        const result = await source.next();
        if (result.done) return DONE;
        await send(`${head}${serialize(result.value)}}`);
      }
    },
    () => source.return?.(),
  );
}

/** Each text is kept while there are subscribers that its result still has to reach. */
const texts = new WeakMap<object, string>();

function serialize(result: object): string {
  const known = texts.get(result);
  if (known !== undefined) return known;
  const text = JSON.stringify(result);
  texts.set(result, text);
  return text;
}
