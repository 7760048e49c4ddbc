import { createIterator, DONE } from '../../../shared/async-iterator.ts';
import { serializeResult } from '../serialized-result.ts';
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
        await channel.sendResult(id, serializeResult(result.value));
      }
    },
    () => source.return?.(),
  );
}
