import { Client, fetchExchange } from '@urql/core';
import { GraphQLClient } from 'graphql-request';
import { createClient } from 'graphql-sse';
import { createClient as createWebSocketClient } from 'graphql-ws';

/** What a page of another site tries, each with its library's defaults. */
const clients = {
  async urql(url: string) {
    const client = new Client({ url, exchanges: [fetchExchange] });
    const { data, error } = await client.query('{ me { role } }', {}).toPromise();
    return data ?? String(error);
  },

  async graphqlRequest(url: string) {
    const client = new GraphQLClient(url, { method: 'GET', jsonSerializer: JSON });
    return client.request('{ me { role } }');
  },

  eventSource(url: string) {
    const query = 'subscription { syncProgress { state } }';
    const events = new EventSource(`${url}?query=${encodeURIComponent(query)}`);
    return new Promise((resolve) => {
      events.addEventListener('next', ({ data }) => {
        events.close();
        resolve(JSON.parse(data));
      });
      events.addEventListener('error', () => {
        events.close();
        resolve('refused');
      });
    });
  },

  async webSocket(url: string) {
    const client = createWebSocketClient({ url: url.replace(/^http/, 'ws'), retryAttempts: 0 });
    try {
      return (await client.iterate({ query: '{ me { role } }' }).next()).value;
    } catch {
      return 'refused';
    } finally {
      await client.dispose();
    }
  },

  /** Seven subscriptions, more than a browser opens connections to one server, and a query beside them. */
  async singleConnection(url: string) {
    const client = createClient({ url, singleConnection: true, retryAttempts: 0 });
    const subscriptions = Array.from({ length: 7 }, () =>
      client.iterate({ query: 'subscription { syncProgress { state } }' }),
    );
    const states = await Promise.all(
      subscriptions.map(async (subscription) => (await subscription.next()).value),
    );
    const me = await clients.post(url, {});
    client.dispose();
    return { states, me };
  },

  async post(url: string, headers: Record<string, string>) {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query: '{ me { role } }' }),
    });
    return answer.json();
  },
};

Object.assign(window, { clients });
