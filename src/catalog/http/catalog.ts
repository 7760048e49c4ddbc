import { Agent } from 'undici';
import type { BladeItem } from '../../data-types/blade-item.ts';
import { isObject } from '../../shared/json.ts';
import type { Catalog, HeldState, ItemKey, UploadOutcome } from '../catalog.ts';
import { CatalogError } from '../catalog-error.ts';
import { type Clock, systemClock } from './clock.ts';
import type { ExchangeRequest } from './exchange.ts';
import { createItemForm } from './item-form.ts';
import {
  compareAnswer,
  createLookupBody,
  isLookupAnswer,
  MAX_ITEMS,
  MAX_LOOKUP_BYTES,
  readHeld,
  splitLookup,
} from './lookup.ts';
import type { HttpCatalogOptions } from './options.ts';
import { guardQueue } from './outage.ts';
import { createRemover, toRemovalPath } from './removal.ts';
import { createRequestQueue } from './request-queue.ts';
import { createSender, type Decision } from './retry.ts';
import { runSession, SessionEndedError } from './session.ts';
import { parseCatalogUrl } from './url.ts';

/**
 * Opens a catalog service. Each item is posted in a separate form. A request that may succeed later is repeated; an item
 * that the catalog refuses is rejected in its words. Uploads wait while the catalog is down; what is left of them is
 * rejected when that lasts too long, or at once if the token is not valid.
 * @param clock the time by which waits are measured.
 * @throws CatalogError if the URL or the token cannot be used.
 */
export async function openHttpCatalog(
  options: HttpCatalogOptions,
  clock: Clock = systemClock,
): Promise<Catalog> {
  const { url, token, concurrency, timeoutMs } = options;
  const { origin, path } = parseCatalogUrl(url);
  const authorization = createAuthorization(token);
  const agent = new Agent({
    connections: concurrency,
    // One request a connection, so that `concurrency` limits requests.
    allowH2: false,
    connect: { timeout: timeoutMs },
    // `exchange` limits the whole time.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const queue = createRequestQueue(concurrency, options.requestsPerSecond);
  const guard = guardQueue(queue, { ...options, clock });
  const send = createSender(agent, { queue, guard, clock, ...options });

  /**
   * Asks the catalog something that not every service knows.
   * @returns the answer; null if it does not know the question.
   * @throws CatalogError if it does not answer.
   */
  function ask(
    signal: AbortSignal,
    { path: question, ...request }: Pick<ExchangeRequest, 'method' | 'path' | 'body' | 'maxAnswerBytes'>,
  ): Promise<string | null> {
    const type = request.body === null ? {} : { 'content-type': 'application/json' };
    const headers = { ...type, ...authorization };
    return runSession(guard, signal, async (session) => {
      const decision = await send(
        () => ({ ...request, origin, path: `${path}${question}`, headers }),
        session,
      );
      if (decision.kind === 'GIVEN_UP') throw new CatalogError(`${decision.message}.`);
      return decision.kind === 'ACCEPTED' ? decision.text : null;
    }).catch((error: unknown) => {
      throw error instanceof SessionEndedError ? new CatalogError(error.message) : error;
    });
  }

  /** Asks which items the service holds; null if it does not know the question. */
  function lookUp(items: readonly ItemKey[], signal: AbortSignal): Promise<string | null> {
    return ask(signal, {
      ...{ method: 'POST', path: '/catalog/items/lookup', body: createLookupBody(items) },
      maxAnswerBytes: MAX_LOOKUP_BYTES,
    });
  }

  async function findHeld(
    items: readonly ItemKey[],
    signal: AbortSignal,
  ): Promise<readonly boolean[] | null> {
    const held: boolean[] = [];
    for (let first = 0; first < items.length; first += MAX_ITEMS) {
      const part = items.slice(first, first + MAX_ITEMS);
      const text = await lookUp(part, signal);
      const found = text === null ? null : readHeld(text, part.length);
      if (found === null) return null;
      held.push(...found);
    }
    return held;
  }

  const remover = createRemover();

  return {
    upload: ({ items }, signal) =>
      runSession(guard, signal, async (session) => {
        const form = createItemForm();
        const headers = { 'content-type': form.contentType, ...authorization };
        const createUpload = (item: BladeItem): ExchangeRequest => ({
          origin,
          method: 'POST',
          path: `${path}/catalog/item`,
          headers,
          body: form.createBody(item),
        });
        return await Promise.all(items.map((item) => toOutcome(send(() => createUpload(item), session))));
      }),

    remove: (items, signal) =>
      runSession(guard, signal, (session) =>
        remover.remove(items, {
          remove: (item) =>
            send(
              () => ({
                ...{ origin, method: 'DELETE', path: `${path}${toRemovalPath(item)}` },
                ...{ headers: authorization, body: null },
              }),
              session,
            ),
          findHeld: (asked) => findHeld(asked, signal),
        }),
      ),

    async readGeneration(signal) {
      const text = await ask(signal, {
        ...{ method: 'GET', path: '/catalog/generation', body: null },
        maxAnswerBytes: MAX_GENERATION_BYTES,
      });
      const id = text === null ? null : parseGeneration(text);
      return id === null ? null : { id, wasEmpty: false };
    },

    async openLookup(_dataType, openSignal) {
      const probe = await lookUp([], openSignal);
      if (probe === null || !isLookupAnswer(probe)) return null;
      return {
        async compare(items, signal) {
          const states: HeldState[] = [];
          for (const part of splitLookup(items)) {
            const text = await lookUp(part, signal);
            if (text === null) throw new CatalogError('The catalog no longer answers which items it holds.');
            states.push(...compareAnswer(text, part));
          }
          return states;
        },
        close: async () => {},
      };
    },

    watchOutages: guard.watch,

    async close() {
      guard.close();
      await agent.destroy();
    },
  };
}

async function toOutcome(sent: Promise<Decision>): Promise<UploadOutcome> {
  try {
    const decision = await sent;
    return decision.kind === 'ACCEPTED' ? ACCEPTED : { status: 'REJECTED', message: decision.message };
  } catch (error) {
    if (error instanceof SessionEndedError) return { status: 'REJECTED', message: error.message };
    throw error;
  }
}

const ACCEPTED: UploadOutcome = { status: 'ACCEPTED' };

/** Parses the answer to the question for the generation; null if the service does not know it. */
function parseGeneration(text: string): string | null {
  try {
    const answer: unknown = JSON.parse(text);
    const generation = isObject(answer) ? new Map(Object.entries(answer)).get('generation') : null;
    return typeof generation === 'string' && isGenerationId(generation) ? generation : null;
  } catch {
    return null;
  }
}

/** Whether a text is a generation that can be stored. */
function isGenerationId(text: string): boolean {
  return /^[\x21-\x7e]{1,200}$/.test(text);
}

const MAX_GENERATION_BYTES = 8_192;

function createAuthorization(token: string | null): Readonly<Record<string, string>> {
  if (token === null) return {};
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new CatalogError('The token of the catalog must be of visible ASCII characters, without spaces.');
  }
  return { authorization: `Bearer ${token}` };
}
