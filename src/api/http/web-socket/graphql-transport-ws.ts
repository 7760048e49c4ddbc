import type { MessageChannel } from '../connection/message-channel.ts';
import type { Line } from './line.ts';

/** The messages of graphql-transport-ws as they are. */
export function speakGraphqlTransportWs(line: Line): MessageChannel {
  return {
    transport: 'websocket',
    get isOpen() {
      return line.isOpen;
    },
    send: line.send,
    sendResult: (id, result) => line.send(`{"id":${JSON.stringify(id)},"type":"next","payload":${result}}`),
    close: line.close,
    onMessage: line.onMessage,
  };
}
