/** The messages of graphql-transport-ws that a server sends. */
export type ServerMessage =
  | { readonly type: 'connection_ack' | 'pong' }
  | { readonly type: 'next' | 'error'; readonly id: string; readonly payload: unknown }
  | { readonly type: 'complete'; readonly id: string };
