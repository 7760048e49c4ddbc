/** What only a server sends in graphql-transport-ws. */
const OF_SERVERS: readonly unknown[] = ['connection_ack', 'next', 'error'];

/**
 * Makes graphql-ws close a connection whose client sends what only a server does as one that cannot be read (4400): it would
 * take that for a failure of its own (4500), and write it to the console.
 * @returns the value, for `JSON.parse`.
 */
export function refuseServerMessages(key: string, value: unknown): unknown {
  if (key === '' && typeof value === 'object' && value !== null && 'type' in value) {
    if (OF_SERVERS.includes(value.type)) throw new Error('a client may not send that');
  }
  return value;
}
