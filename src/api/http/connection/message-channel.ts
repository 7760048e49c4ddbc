import type { Channel } from './channel.ts';

/** A channel with the messages of its client, in those of graphql-transport-ws. */
export interface MessageChannel extends Channel {
  /** @param handle resolves when what the message asks for has ended. */
  onMessage(handle: (message: string) => Promise<void>): void;
}
