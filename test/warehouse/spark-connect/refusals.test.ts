import { Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js';
import { generate } from 'selfsigned';
import { expect } from 'vitest';
import { parseRemote } from '../../../src/warehouse/spark-connect/connection-string.ts';
import { service } from '../../../src/warehouse/spark-connect/messages.ts';
import { openSparkWarehouse } from '../../../src/warehouse/spark-connect/warehouse.ts';
import { test } from '../../support/without-database.ts';
import { never, statement } from '../reading.ts';

/** A server that refuses every session with a status of gRPC. */
async function startRefusal(code: number, credentials = ServerCredentials.createInsecure()) {
  const server = new Server();
  const headers: Metadata[] = [];
  const { Config } = service;
  if (Config === undefined) throw new Error('there is no method Config');
  server.addService(
    { Config },
    {
      Config(call: { metadata: Metadata }, callback: (error: object) => void) {
        headers.push(call.metadata);
        callback({ code, details: 'the token token-of-the-test is wrong', metadata: new Metadata() });
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { port, headers, close: () => server.forceShutdown() };
}

/** Runs a statement, and returns its error. */
async function fail(url: string): Promise<unknown> {
  const parsed = parseRemote(url);
  if (!parsed.ok) throw new Error(parsed.problem);
  const warehouse = openSparkWarehouse({ remote: parsed.remote, retryDelayMs: 1 });
  try {
    return await warehouse.countRows(statement('SELECT 1'), never).catch((error: unknown) => error);
  } finally {
    await warehouse.close();
  }
}

test.for([
  [status.UNAUTHENTICATED, /^Spark refused the credentials: check the token/, 1],
  [status.PERMISSION_DENIED, /^Spark refused the credentials, or the user may not do this/, 1],
  [status.UNIMPLEMENTED, /^There is no Spark Connect at the address/, 1],
  [status.UNAVAILABLE, /^Spark cannot be reached/, 6],
] as const)(
  'status %i of gRPC has a reason that shows no token, and is tried again only if that can help',
  async ([code, message, attempts], { open }) => {
    const { port, headers } = await open(startRefusal(code));
    expect(await fail(`sc://127.0.0.1:${port}/;token=token-of-the-test;x-cluster=7`)).toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(message),
    });
    expect(headers).toHaveLength(attempts);
    expect(headers[0]?.getMap()).toMatchObject({
      authorization: 'Bearer token-of-the-test',
      'x-cluster': '7',
    });
  },
);

test('a server whose certificate is not trusted, or that has none, is not asked with a token', async ({
  open,
}) => {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'test' }], {
    keyType: 'ec',
    algorithm: 'sha256',
  });
  const pair = { private_key: Buffer.from(key), cert_chain: Buffer.from(cert) };
  const secure = await open(startRefusal(status.UNAUTHENTICATED, ServerCredentials.createSsl(null, [pair])));
  const url = (port: number) => `sc://127.0.0.1:${port}/;use_ssl=true;token=token-of-the-test`;
  expect(await fail(url(secure.port))).toMatchObject({
    message: expect.stringMatching(/^The certificate of Spark is not trusted: NODE_EXTRA_CA_CERTS/),
  });
  const plain = await open(startRefusal(status.UNAUTHENTICATED));
  expect(await fail(url(plain.port))).toMatchObject({
    message: expect.stringMatching(/^Spark does not use TLS at the address: remove use_ssl/),
  });
  expect([...secure.headers, ...plain.headers]).toEqual([]);
});
