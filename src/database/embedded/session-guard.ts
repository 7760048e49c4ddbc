import type { PGlite } from '@electric-sql/pglite';

/** Events of a guarded session. */
export interface SessionEvents {
  /** The database sent a notification. */
  onNotification(channel: string, payload: string): void;
  /** The database itself failed, not just a statement: it can no longer be used. */
  onBroken(error: Error): void;
}

/**
 * Makes PGlite's only session safe to share among the clients of its socket server. The server checks `isInTransaction` before
 * it gives the session to another client. Without the guard, that is false between the messages of one statement, so late
 * parameters were bound to another client's statement (https://github.com/electric-sql/pglite/issues/1046). With it, a client
 * keeps the session from its first message until the database is ready for the next statement.
 *
 * Notifications are read from the answers of the database, because the socket server sends them only to the client that caused
 * them.
 */
export function guardSession(database: PGlite, events: SessionEvents): PGlite {
  watchEngine(database, events.onBroken);
  let statementOpen = false;
  const answers = new AnswerReader({
    onReady() {
      statementOpen = false;
    },
    onNotification: events.onNotification,
  });

  const execProtocolRawStream: PGlite['execProtocolRawStream'] = async (message, options) => {
    if (message[0] === TERMINATE) return;
    statementOpen = true;
    try {
      await database.execProtocolRawStream(message, {
        ...options,
        onRawData(answer) {
          answers.read(answer);
          options.onRawData(answer);
        },
      });
    } catch (error) {
      // Otherwise, the socket server would never serve a client again, without an error.
      events.onBroken(toError(error));
      throw error;
    }
  };

  const rollBack: PGlite['exec'] = async (statement, options) => {
    // A client disconnected during a statement: after an error, the database ignores everything up to a sync.
    await database.execProtocolRaw(SYNC);
    statementOpen = false;
    return database.exec(statement, options);
  };

  return new Proxy(database, {
    get(target, property) {
      if (property === 'isInTransaction') return () => statementOpen || target.isInTransaction();
      if (property === 'execProtocolRawStream') return execProtocolRawStream;
      if (property === 'exec') return rollBack;
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/**
 * Watches for crashes of the engine. Errors of statements are thrown in one known way; anything else, such as a stack
 * overflow, interrupts its work, and PGlite then never answers that statement or a later one, without reporting an error.
 */
function watchEngine(database: PGlite, onBroken: (error: Error) => void): void {
  const engine = database.Module;
  const step = engine._PostgresMainLoopOnce;
  engine._PostgresMainLoopOnce = () => {
    try {
      step();
    } catch (error) {
      if (!isStatementError(error)) onBroken(toError(error));
      throw error;
    }
  };
}

function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

function isStatementError(error: unknown): boolean {
  const longJump = 100;
  return typeof error === 'object' && error !== null && 'status' in error && error.status === longJump;
}

const TERMINATE = 'X'.charCodeAt(0);
const READY_FOR_QUERY = 'Z'.charCodeAt(0);
const NOTIFICATION = 'A'.charCodeAt(0);
const SYNC = Uint8Array.of('S'.charCodeAt(0), 0, 0, 0, 4);

/** Reads the two relevant kinds of messages from the answers of the database, which may be split anywhere. */
class AnswerReader {
  readonly #handlers: { onReady(): void; onNotification(channel: string, payload: string): void };
  readonly #header = Buffer.alloc(5);
  #headerLength = 0;
  #bodyLeft = 0;
  #body: Buffer[] = [];

  constructor(handlers: { onReady(): void; onNotification(channel: string, payload: string): void }) {
    this.#handlers = handlers;
  }

  read(answer: Uint8Array): void {
    let offset = 0;
    while (offset < answer.length) {
      if (this.#headerLength < this.#header.length) {
        const part = answer.subarray(offset, offset + this.#header.length - this.#headerLength);
        this.#header.set(part, this.#headerLength);
        this.#headerLength += part.length;
        offset += part.length;
        if (this.#headerLength < this.#header.length) return;
        this.#bodyLeft = this.#header.readInt32BE(1) - 4;
      }
      const part = answer.subarray(offset, offset + this.#bodyLeft);
      // The bytes are in the memory of the database, which the next answer overwrites.
      if (this.#header[0] === NOTIFICATION) this.#body.push(Buffer.from(part));
      this.#bodyLeft -= part.length;
      offset += part.length;
      if (this.#bodyLeft === 0) this.#finishMessage();
    }
  }

  #finishMessage(): void {
    this.#headerLength = 0;
    if (this.#header[0] === READY_FOR_QUERY) this.#handlers.onReady();
    if (this.#header[0] !== NOTIFICATION) return;
    const body = Buffer.concat(this.#body);
    this.#body = [];
    const processIdLength = 4;
    const channelEnd = body.indexOf(0, processIdLength);
    const payloadEnd = body.indexOf(0, channelEnd + 1);
    this.#handlers.onNotification(
      body.toString('utf8', processIdLength, channelEnd),
      body.toString('utf8', channelEnd + 1, payloadEnd),
    );
  }
}
