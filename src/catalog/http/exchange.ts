import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';

export interface ExchangeRequest {
  readonly origin: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** The most bytes of a successful answer that are kept. Default: 0. */
  readonly maxAnswerBytes?: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The beginning of the body; of a successful answer, as many bytes as the request wants. */
  readonly text: string;
}

export interface ExchangeOptions {
  /** The longest time to the end of the answer, including connecting, in milliseconds. */
  readonly timeoutMs: number;
  /** Holds, during the exchange, a function that makes it reject with a reason at once. */
  readonly cancellations: Set<(reason: unknown) => void>;
}

/** There was no complete answer. */
export class ExchangeError extends Error {
  override readonly name = 'ExchangeError';

  /** UNREACHABLE: there was no connection, so nothing was sent. */
  readonly reason: 'UNREACHABLE' | 'BROKEN' | 'TIMEOUT';
  /** The code of Node or undici, such as ECONNRESET. */
  readonly code: string;

  constructor(reason: ExchangeError['reason'], code: string, options?: ErrorOptions) {
    super(`${reason}: ${code}`, options);
    this.reason = reason;
    this.code = code;
  }
}

/**
 * Sends a request and receives the answer.
 * @throws ExchangeError if there is no complete answer, or the reason of a cancellation.
 */
export function exchange(
  dispatcher: Dispatcher,
  { maxAnswerBytes = 0, ...request }: ExchangeRequest,
  { timeoutMs, cancellations }: ExchangeOptions,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let connection: Dispatcher.DispatchController | null = null;
    let isOver = false;
    let status = 0;
    let headers: IncomingHttpHeaders = {};
    const chunks: Buffer[] = [];
    let length = 0;
    let maxBytes = MAX_TEXT_BYTES;

    const finish = (): boolean => {
      if (isOver) return false;
      isOver = true;
      clearTimeout(timer);
      cancellations.delete(cancel);
      return true;
    };
    const cancel = (reason: unknown) => {
      if (finish()) {
        reject(reason);
        connection?.abort(CANCELLED);
      }
    };
    const timer = setTimeout(() => {
      cancel(new ExchangeError(connection === null ? 'UNREACHABLE' : 'TIMEOUT', 'ETIMEDOUT'));
    }, timeoutMs);
    cancellations.add(cancel);

    // undici's `request` costs a quarter of the rate, by a stream for each answer and a listener for each abort.
    dispatcher.dispatch(request, {
      onRequestStart(controller) {
        connection = controller;
        if (isOver) controller.abort(CANCELLED);
      },
      onResponseStart(_controller, statusCode, receivedHeaders) {
        status = statusCode;
        headers = receivedHeaders;
        if (status < 300) maxBytes = maxAnswerBytes;
      },
      onResponseData(_controller, chunk) {
        if (length < maxBytes) {
          chunks.push(chunk);
          length += chunk.length;
        }
      },
      onResponseEnd() {
        if (finish()) {
          const text = Buffer.concat(chunks).subarray(0, maxBytes).toString('utf8');
          resolve({ status, headers, text });
        }
      },
      onResponseError(_controller, error) {
        if (finish()) {
          const reason = connection === null ? 'UNREACHABLE' : 'BROKEN';
          reject(new ExchangeError(reason, toCode(error), { cause: error }));
        }
      },
    });
  });
}

const MAX_TEXT_BYTES = 8_192;

const CANCELLED = new Error('The request was cancelled.');

function toCode(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
