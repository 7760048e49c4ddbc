import type { SubscriptionForwarder } from '@urql/core';
import type { Client, Sink } from 'graphql-ws';

/**
 * Lets subscriptions with a variable `after` continue after the last cursor that they have got. For the
 * `subscriptionExchange`, with a client that connects again by itself and sends the variables as they are then.
 */
export function createContinueForwarder(webSocket: Client): SubscriptionForwarder {
  return ({ query = '', variables }) => ({
    subscribe(observer) {
      const sink = observer as Sink;
      const current: Record<string, unknown> = { ...variables };
      const unsubscribe = webSocket.subscribe(
        { query, variables: current },
        {
          next(result) {
            const [message] = Object.values(result.data ?? {});
            if (hasCursor(message)) current.after = message.cursor;
            sink.next(result);
          },
          error: (error) => sink.error(error),
          complete: () => sink.complete(),
        },
      );
      return { unsubscribe };
    },
  });
}

function hasCursor(message: unknown): message is { cursor: string } {
  return typeof message === 'object' && message !== null && 'cursor' in message;
}
