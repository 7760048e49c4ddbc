import { createRequire } from 'node:module';
import { thrift as service } from '@databricks/sql';

/** The part of the Thrift library that is used here; the library has no types. */
interface ThriftLibrary {
  readonly Int64: new (value: number | Buffer) => number;
  readonly TBinaryProtocol: new (transport: object) => object;
  readonly TBufferedTransport: {
    new (buffer: undefined, onFlush: (message: Buffer) => void): object;
    receiver(
      onMessage: (transport: { commitPosition(): void }) => void,
      sequence: number,
    ): (bytes: Buffer) => void;
  };
}

const library = createRequire(import.meta.url)('thrift') as ThriftLibrary;

/** A whole number of 64 bits as Thrift has it. */
export function int64(value: number | bigint): number {
  if (typeof value === 'number') return new library.Int64(value);
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return new library.Int64(bytes);
}

/** The name of the operation that a message asks for. */
export function readOperation(message: Buffer): string {
  return message.toString('utf8', 8, 8 + message.readInt32BE(4));
}

export type Handlers = Readonly<Record<string, (request: never) => Promise<object>>>;

/** Answers messages by calling the handler of the operation's name. */
export function createProcessor(handlers: Handlers): (message: Buffer) => Promise<Buffer> {
  const { Processor } = service.TCLIService as unknown as {
    readonly Processor: new (handlers: Handlers) => { process(input: object, output: object): void };
  };
  const processor = new Processor(handlers);
  return (message) =>
    new Promise((resolve) => {
      const output = new library.TBinaryProtocol(new library.TBufferedTransport(undefined, resolve));
      library.TBufferedTransport.receiver((transport) => {
        processor.process(new library.TBinaryProtocol(transport), output);
        transport.commitPosition();
      }, 0)(message);
    });
}
