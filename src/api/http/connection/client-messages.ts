/** Messages of graphql-transport-ws that only servers send. */
const SERVER_MESSAGES: readonly unknown[] = ['connection_ack', 'next', 'error'];

/**
 * A reviver for `JSON.parse` that refuses messages only a server sends, so that graphql-ws closes the connection as invalid
 * (4400) and not as a failure of the server (4500).
 */
export function refuseServerMessages(key: string, value: unknown): unknown {
  if (key === '' && typeof value === 'object' && value !== null && 'type' in value) {
    if (SERVER_MESSAGES.includes(value.type)) throw new Error('only a server sends this message');
  }
  return value;
}
