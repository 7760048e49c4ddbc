import { createIterator, DONE } from '../../../shared/async-iterator.ts';
import { toClientResult } from '../client-errors.ts';
import type { Channel } from './channel.ts';

/**
 * Sends the results of a subscription. A result that many subscribers share is serialized once; graphql-ws would serialize
 * it for each of them.
 * @param id the client's id for the subscription.
 * @returns an iterator without values that ends with the results.
 */
export function sendResults(
  channel: Pick<Channel, 'sendResult'>,
  id: string,
  results: AsyncIterable<object>,
): AsyncIterableIterator<never> {
  const source = results[Symbol.asyncIterator]();
  return createIterator<never>(
    async () => {
      for (;;) {
        const result = await source.next();
        if (result.done) return DONE;
        // The next result is only made for a client that reads.
        await channel.sendResult(id, serialize(result.value));
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
  const text = JSON.stringify(toClientResult(result));
  texts.set(result, text);
  return text;
}
