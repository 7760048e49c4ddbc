import { credentials, Client as GrpcClient, Metadata } from '@grpc/grpc-js';
import type { SparkRemote } from './connection-string.ts';
import { type ExecutePlanResponse, type StreamMethods, service, type UnaryMethods } from './messages.ts';

/** The connection to a Spark Connect server. */
export interface SparkClient {
  /** @throws ServiceError of gRPC. */
  request<Name extends keyof UnaryMethods>(
    name: Name,
    request: UnaryMethods[Name]['request'],
  ): Promise<UnaryMethods[Name]['response']>;
  stream<Name extends keyof StreamMethods>(name: Name, request: StreamMethods[Name]): ResponseStream;
  /** Ends the connection, and with it what is under way. */
  close(): void;
}

export interface ResponseStream {
  /**
   * Returns the next response; null if the server has ended the stream.
   * @throws ServiceError of gRPC.
   */
  next(): Promise<ExecutePlanResponse | null>;
  /** Stops to receive; what was started goes on. */
  close(): void;
}

/** Opens the connection with the first request. */
export function createClient(remote: SparkRemote): SparkClient {
  const { host, port, isSecure, token, headers } = remote;
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const client = new GrpcClient(address, isSecure ? credentials.createSsl() : credentials.createInsecure(), {
    ...CHANNEL_OPTIONS,
    'grpc.max_receive_message_length': remote.maxMessageBytes,
  });
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  if (token !== null) metadata.set('authorization', `Bearer ${token}`);

  return {
    request: (name, request) =>
      new Promise((resolve, reject) => {
        const { path, requestSerialize, responseDeserialize } = findMethod(name);
        const options = { deadline: Date.now() + REQUEST_TIMEOUT_MS };
        client.makeUnaryRequest(
          ...([path, requestSerialize, responseDeserialize, request, metadata, options] as const),
          (error, response) => {
            if (error !== null) reject(error);
            // Deserialized by the definition of the method.
            else resolve(response as UnaryMethods[typeof name]['response']);
          },
        );
      }),

    stream(name, request) {
      const { path, requestSerialize, responseDeserialize } = findMethod(name);
      const call = client.makeServerStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        metadata,
        {},
      );
      // It comes after a cancellation, too, when nobody waits for it any more.
      call.on('error', () => {});
      const responses: AsyncIterator<ExecutePlanResponse> = call[Symbol.asyncIterator]();
      return {
        async next() {
          const { value, done } = await responses.next();
          return done === true ? null : value;
        },
        close: () => call.cancel(),
      };
    },

    close: () => client.close(),
  };
}

function findMethod(name: string) {
  const method = service[name];
  if (method === undefined) throw new Error(`there is no method ${name}`);
  return method;
}

/** How long a request with one response may take. */
const REQUEST_TIMEOUT_MS = 60_000;

const CHANNEL_OPTIONS = {
  // The default of 64 KB would make a batch wait for the network many times. Spark keeps 10 MB to send again.
  'grpc-node.flow_control_window': 8_000_000,
  // Spark refuses pings that come more often than every five minutes.
  'grpc.keepalive_time_ms': 6 * 60_000,
  'grpc.max_reconnect_backoff_ms': 5_000,
  // Each thread has its own connection, whose end must end what runs over it.
  'grpc.use_local_subchannel_pool': 1,
};
