import { readFileSync } from 'node:fs';
import { buildSchema, type GraphQLFieldResolver, type GraphQLSchema } from 'graphql';

/** The product's own schema; its progress has the shape of an answer already, so that no resolver has work to do. */
export function createPeerSchema<Context>(subscribe: GraphQLFieldResolver<unknown, Context>): GraphQLSchema {
  const schema = buildSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'));
  const field = schema.getSubscriptionType()?.getFields().jobProgress;
  if (field === undefined) throw new Error('the schema has no jobProgress');
  field.subscribe = subscribe;
  return schema;
}

/** What is published, to each subscriber: the present state first. Kept in memory, as simple as it can be. */
export function createFeed() {
  let latest: object = {};
  const subscribers = new Set<(event: object) => void>();
  return {
    publish(event: object) {
      latest = event;
      for (const offer of subscribers) offer(event);
    },
    subscribe(): AsyncIterableIterator<object> {
      const waiting: object[] = [latest];
      let wake = () => {};
      const offer = (event: object) => {
        waiting.push(event);
        wake();
      };
      subscribers.add(offer);
      const events: AsyncIterableIterator<object> = {
        async next() {
          for (;;) {
            const event = waiting.shift();
            if (event !== undefined) return { done: false, value: { jobProgress: event } };
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
          }
        },
        async return() {
          subscribers.delete(offer);
          return { done: true, value: undefined };
        },
        [Symbol.asyncIterator]: () => events,
      };
      return events;
    },
  };
}
