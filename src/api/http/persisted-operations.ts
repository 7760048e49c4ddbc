import { createHash } from 'node:crypto';
import { GraphQLError, stripIgnoredCharacters } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { isObject } from '../../shared/json.ts';
import { createTextStore } from './text-store.ts';

/** Operations that clients name by the SHA-256 hash of their text, and whether they may send any others. */
export interface PersistedOperations {
  /**
   * Finds the text of an operation that a client sent by its hash alone, and keeps one that comes with its hash.
   * @param params the parameters of a request, of any form.
   * @throws GraphQLError with a code that clients of automatic persisted queries know.
   */
  resolve(params: unknown): unknown;
  /** Resolves the operations of requests, and on every transport refuses those that may not be sent. */
  readonly plugin: Plugin;
}

/**
 * @param trusted the texts of all operations that clients may send, by what clients call them; null if they may send any.
 * @param maxCharacters the longest text that is kept.
 */
export function createPersistedOperations(
  trusted: ReadonlyMap<string, string> | null,
  maxCharacters: number,
): PersistedOperations {
  const kept = createTextStore(MOST_TEXTS, MOST_CHARACTERS);
  const listed = new Map([...(trusted ?? [])].map(([id, text]) => [id.toLowerCase(), text]));
  const allowed = trusted === null ? null : new Set([...trusted.values()].map(toComparable));

  function resolve(params: unknown): unknown {
    const hash = findHash(params);
    if (hash === null || !isObject(params)) return params;
    const { query } = params;
    if (query === undefined || query === null || query === '') {
      const text = trusted === null ? kept.find(hash) : listed.get(hash);
      if (text !== undefined) return { ...params, query: text };
      throw trusted === null ? notFound() : notInList();
    }
    if (typeof query !== 'string' || trusted !== null) return params;
    // Else a client could put its own text in the place of another one's.
    if (createHash('sha256').update(query).digest('hex') !== hash) throw mismatch();
    if (query.length <= maxCharacters) kept.keep(hash, query);
    return params;
  }

  return {
    resolve,
    plugin: {
      onParams({ params, setParams }) {
        setParams(resolve(params) as typeof params);
      },
      onParse({ params: { source } }) {
        if (allowed !== null && !allowed.has(toComparable(source.toString()))) throw notInList();
      },
    },
  };
}

/** How much is kept: about all operations of the programs that use one server. */
const MOST_TEXTS = 1_000;
const MOST_CHARACTERS = 8_000_000;

function findHash(params: unknown): string | null {
  if (!isObject(params) || !isObject(params.extensions)) return null;
  const { persistedQuery } = params.extensions;
  if (!isObject(persistedQuery) || typeof persistedQuery.sha256Hash !== 'string') return null;
  return persistedQuery.sha256Hash.toLowerCase();
}

/** A text without what means nothing, so that clients may print an operation as they do. */
function toComparable(text: string): string {
  try {
    return stripIgnoredCharacters(text);
  } catch {
    // It cannot be parsed.
    return text;
  }
}

/** Clients know these messages and codes; on the first they send the text, too. */
function notFound(): GraphQLError {
  return new GraphQLError('PersistedQueryNotFound', {
    extensions: {
      code: 'PERSISTED_QUERY_NOT_FOUND',
      http: { status: 200, headers: { 'Cache-Control': 'no-store' } },
    },
  });
}

function mismatch(): GraphQLError {
  return new GraphQLError('The hash of a persisted query must be the SHA-256 of its text, in hexadecimal.', {
    extensions: { code: 'PERSISTED_QUERY_MISMATCH', http: { status: 400 } },
  });
}

function notInList(): GraphQLError {
  return new GraphQLError('This server runs only operations of its list, and this one is not on it.', {
    extensions: { code: 'PERSISTED_QUERY_NOT_IN_LIST', http: { status: 403 } },
  });
}
