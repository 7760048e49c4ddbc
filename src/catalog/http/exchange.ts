import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';

export interface ExchangeRequest {
  readonly origin: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The beginning of the body; empty where the status is a success. */
  readonly text: string;
}

export interface ExchangeOptions {
  /** From sending to the end of the answer, making a connection included, in milliseconds. */
  readonly timeoutMs: number;
  /** Holds, while the exchange goes on, what makes it reject with a reason at once. */
  readonly cancellations: Set<(reason: unknown) => void>;
}

/** There was no whole answer. */
export class ExchangeError extends Error {
  override readonly name = 'ExchangeError';

  /** UNREACHABLE: no connection could be made, so that nothing was sent. */
  readonly reason: 'UNREACHABLE' | 'BROKEN' | 'TIMEOUT';
  /** What Node or undici calls the fault, such as ECONNRESET. */
  readonly code: string;

  constructor(reason: ExchangeError['reason'], code: string, options?: ErrorOptions) {
    super(`${reason}: ${code}`, options);
    this.reason = reason;
    this.code = code;
  }
}

/**
 * Sends a request and takes in the answer.
 * @throws ExchangeError where there is no whole answer, or the reason of the cancellation.
 */
export function exchange(
  dispatcher: Dispatcher,
  request: ExchangeRequest,
  { timeoutMs, cancellations }: ExchangeOptions,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let connection: Dispatcher.DispatchController | null = null;
    let isOver = false;
    let status = 0;
    let headers: IncomingHttpHeaders = {};
    const chunks: Buffer[] = [];
    let length = 0;

    const over = (): boolean => {
      if (isOver) {
        return false;
      }
      isOver = true;
      clearTimeout(timer);
      cancellations.delete(cancel);
      return true;
    };
    const cancel = (reason: unknown) => {
      if (over()) {
        reject(reason);
        connection?.abort(unwanted);
      }
    };
    const timer = setTimeout(() => {
      cancel(new ExchangeError(connection === null ? 'UNREACHABLE' : 'TIMEOUT', 'ETIMEDOUT'));
    }, timeoutMs);
    cancellations.add(cancel);

    // Not `request` of undici, whose stream for each answer and listener for each abort cost a quarter of the rate.
    dispatcher.dispatch(request, {
      onRequestStart(controller) {
        connection = controller;
        if (isOver) {
          controller.abort(unwanted);
        }
      },
      onResponseStart(_controller, statusCode, receivedHeaders) {
        status = statusCode;
        headers = receivedHeaders;
      },
      onResponseData(_controller, chunk) {
        if (status >= 300 && length < bytesKept) {
          chunks.push(chunk);
          length += chunk.length;
        }
      },
      onResponseEnd() {
        if (over()) {
          const text = Buffer.concat(chunks).subarray(0, bytesKept).toString('utf8');
          resolve({ status, headers, text });
        }
      },
      onResponseError(_controller, error) {
        if (over()) {
          const reason = connection === null ? 'UNREACHABLE' : 'BROKEN';
          reject(new ExchangeError(reason, codeOf(error), { cause: error }));
        }
      },
    });
  });
}

const bytesKept = 8_192;

const unwanted = new Error('The request is not wanted any more.');

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
