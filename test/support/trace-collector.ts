import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';

/** A span as an OpenTelemetry collector receives it. */
export interface CollectedSpan {
  readonly service: string;
  readonly scope: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the first span of a trace. */
  readonly parentSpanId: string;
  readonly name: string;
  /** 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number;
  /** Nanoseconds. */
  readonly start: bigint;
  readonly end: bigint;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** 2 for an error. */
  readonly status: number;
}

/** Receives traces by OTLP over HTTP, in Protocol Buffers. */
export interface TraceCollector {
  readonly url: string;
  readonly spans: readonly CollectedSpan[];
  /** The headers of each export. */
  readonly headers: readonly NodeJS.Dict<string | string[]>[];
  close(): Promise<void>;
}

export async function startTraceCollector(): Promise<TraceCollector> {
  const spans: CollectedSpan[] = [];
  const headers: NodeJS.Dict<string | string[]>[] = [];
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    if (request.url !== '/v1/traces' || request.headers['content-type'] !== 'application/x-protobuf') {
      response.writeHead(400).end();
      return;
    }
    headers.push(request.headers);
    spans.push(...decodeSpans(request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body));
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    headers,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

// Numbers of fields are those of opentelemetry/proto/collector/trace/v1 and trace/v1.
function decodeSpans(body: Buffer): CollectedSpan[] {
  return readMessages(parseFields(body), 1).flatMap((resourceSpans) => {
    const [resource] = readMessages(resourceSpans, 1);
    const service = String(readAttributes(resource ?? [], 1)['service.name']);
    return readMessages(resourceSpans, 2).flatMap((scopeSpans) => {
      const [scope] = readMessages(scopeSpans, 1);
      return readMessages(scopeSpans, 2).map((span) => ({
        service,
        scope: readText(scope ?? [], 1),
        traceId: readBytes(span, 1).toString('hex'),
        spanId: readBytes(span, 2).toString('hex'),
        parentSpanId: readBytes(span, 4).toString('hex'),
        name: readText(span, 5),
        kind: Number(readNumber(span, 6)),
        start: readNumber(span, 7),
        end: readNumber(span, 8),
        attributes: readAttributes(span, 9),
        status: Number(readNumber(readMessages(span, 15)[0] ?? [], 3)),
      }));
    });
  });
}

type Field = { readonly number: number; readonly value: bigint | Buffer };

function readAttributes(
  message: readonly Field[],
  number: number,
): Record<string, string | number | boolean> {
  return Object.fromEntries(
    readMessages(message, number).map((pair) => [
      readText(pair, 1),
      readAnyValue(readMessages(pair, 2)[0] ?? []),
    ]),
  );
}

/** Reads an AnyValue of the kinds that we send. */
function readAnyValue([field]: readonly Field[]): string | number | boolean {
  switch (field?.number) {
    case 1:
      return Buffer.isBuffer(field.value) ? field.value.toString() : '';
    case 2:
      return field.value !== 0n;
    case 3:
      return Number(field.value);
    case 4: {
      const bits = Buffer.alloc(8);
      bits.writeBigUInt64LE(BigInt.asUintN(64, Buffer.isBuffer(field.value) ? 0n : field.value));
      return bits.readDoubleLE();
    }
    default:
      return '';
  }
}

function readMessages(message: readonly Field[], number: number): Field[][] {
  return message.flatMap((field) =>
    field.number === number && Buffer.isBuffer(field.value) ? [parseFields(field.value)] : [],
  );
}

function readBytes(message: readonly Field[], number: number): Buffer {
  const value = message.find((field) => field.number === number)?.value;
  return Buffer.isBuffer(value) ? value : Buffer.alloc(0);
}

function readText(message: readonly Field[], number: number): string {
  return readBytes(message, number).toString();
}

function readNumber(message: readonly Field[], number: number): bigint {
  const value = message.find((field) => field.number === number)?.value;
  return typeof value === 'bigint' ? value : 0n;
}

/** Parses the fields of a Protocol Buffers message. */
function parseFields(bytes: Buffer): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes.readUInt8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const number = tag >> 3;
    switch (tag & 7) {
      case 0:
        fields.push({ number, value: varint() });
        break;
      case 1:
        fields.push({ number, value: bytes.readBigUInt64LE(at) });
        at += 8;
        break;
      case 2: {
        const length = Number(varint());
        fields.push({ number, value: bytes.subarray(at, at + length) });
        at += length;
        break;
      }
      case 5:
        fields.push({ number, value: BigInt(bytes.readUInt32LE(at)) });
        at += 4;
        break;
      default:
        throw new Error(`no wire type of Protocol Buffers: ${tag & 7}`);
    }
  }
  return fields;
}
