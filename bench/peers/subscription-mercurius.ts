// Mercurius on Fastify, with its own implementation of graphql-transport-ws and its own publisher.
import type { AddressInfo } from 'node:net';
import fastify from 'fastify';
import mercurius from 'mercurius';
import { answerParent, processorSeconds } from './answer.ts';
import { createPeerSchema } from './subscription-schema.ts';

const TOPIC = 'progress';
const app = fastify();
let latest: object = {};
const schema = createPeerSchema(
  async (_root: unknown, _args: unknown, { pubsub }: { pubsub: mercurius.PubSub }) => {
    const events = await pubsub.subscribe(TOPIC);
    // The present state first, as the others give it.
    events.push({ jobProgress: latest });
    return events;
  },
);
await app.register(mercurius, { schema, subscription: { fullWsTransport: true }, jit: 1 });
await app.listen({ port: 0, host: '127.0.0.1' });
const { port } = app.server.address() as AddressInfo;

answerParent(async ({ publish }) => {
  if (typeof publish === 'object' && publish !== null) {
    latest = publish;
    app.graphql.pubsub.publish({ topic: TOPIC, payload: { jobProgress: publish } });
  }
  return { url: `ws://127.0.0.1:${port}/graphql`, processorSeconds: processorSeconds() };
});
