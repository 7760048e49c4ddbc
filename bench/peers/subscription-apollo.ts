// Apollo Server with graphql-ws, as its documentation sets subscriptions up.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginDrainHttpServer } from '@apollo/server/plugin/drainHttpServer';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { answerParent, processorSeconds } from './answer.ts';
import { createFeed, createPeerSchema } from './subscription-schema.ts';

const feed = createFeed();
const schema = createPeerSchema((_root: unknown, _args: unknown) => feed.subscribe());
const server = createServer();
const webSockets = new WebSocketServer({ server, path: '/graphql' });
const cleanup = useServer({ schema }, webSockets);
const apollo = new ApolloServer({
  schema,
  plugins: [
    ApolloServerPluginDrainHttpServer({ httpServer: server }),
    { serverWillStart: async () => ({ drainServer: async () => void (await cleanup.dispose()) }) },
  ],
});
await apollo.start();
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as AddressInfo;

answerParent(async ({ publish }) => {
  if (typeof publish === 'object' && publish !== null) feed.publish(publish);
  return { url: `ws://127.0.0.1:${port}/graphql`, processorSeconds: processorSeconds() };
});
