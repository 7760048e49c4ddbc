import type { ItemKey, RemovalOutcome } from '../catalog.ts';
import type { Decision } from './retry.ts';
import { SessionEndedError } from './session.ts';

/** What a removal asks the service. */
export interface RemovalRequests {
  /** Sends a DELETE of an item until the service accepts or refuses it. */
  remove(item: ItemKey): Promise<Decision>;
  /** Asks which items the service holds; null if it does not know the question. */
  findHeld(items: readonly ItemKey[]): Promise<readonly boolean[] | null>;
}

/** Removes items from a service, which may not know how. */
export interface Remover {
  /** @returns one outcome an item; null if the service removes none. */
  remove(items: readonly ItemKey[], requests: RemovalRequests): Promise<readonly RemovalOutcome[] | null>;
}

/** The path of a DELETE. In the query, no server takes an id apart. */
export function toRemovalPath({ dataType, itemId }: ItemKey): string {
  return `/catalog/item?dataSource=${encodeURIComponent(`BLADE:${dataType}`)}&itemId=${encodeURIComponent(itemId)}`;
}

/**
 * A 404 says that there is no such item, or no such route. The lookup tells which, or else whether another DELETE was ever
 * accepted.
 */
export function createRemover(): Remover {
  let isKnown = false;

  async function send(requests: RemovalRequests, item: ItemKey): Promise<Answer> {
    const answer = await toAnswer(requests.remove(item));
    if (answer.kind === 'OUTCOME' && answer.outcome.status === 'REMOVED') isKnown = true;
    return answer;
  }

  return {
    async remove(items, requests) {
      const [first, ...others] = items;
      if (first === undefined) return [];
      const probe = await send(requests, first);
      if (probe.kind === 'UNSUPPORTED') return null;
      if (probe.kind === 'NOT_FOUND' && ((await requests.findHeld([first]))?.[0] ?? !isKnown)) return null;
      const answers = [probe, ...(await Promise.all(others.map((item) => send(requests, item))))];
      const notFound = items.filter((_item, index) => answers[index]?.kind === 'NOT_FOUND');
      const held = notFound.length === 0 ? [] : ((await requests.findHeld(notFound)) ?? []);
      const isHeld = new Map(notFound.map((item, index) => [item, held[index] ?? !isKnown]));
      return items.map((item, index) => {
        const answer = answers[index];
        if (answer?.kind === 'OUTCOME') return answer.outcome;
        if (answer?.kind === 'NOT_FOUND' && isHeld.get(item) === false) return REMOVED;
        return { status: 'REFUSED', message: answer?.message ?? 'The catalog gave no answer.' };
      });
    },
  };
}

type Answer =
  | { readonly kind: 'OUTCOME'; readonly outcome: RemovalOutcome }
  | { readonly kind: 'NOT_FOUND' | 'UNSUPPORTED'; readonly message: string };

async function toAnswer(sent: Promise<Decision>): Promise<Answer> {
  const decision = await sent.catch((error: unknown): Decision => {
    if (error instanceof SessionEndedError) return { kind: 'GIVEN_UP', message: error.message };
    throw error;
  });
  switch (decision.kind) {
    case 'ACCEPTED':
      return { kind: 'OUTCOME', outcome: REMOVED };
    case 'GIVEN_UP':
      return { kind: 'OUTCOME', outcome: { status: 'UNKNOWN', message: decision.message } };
    case 'REFUSED': {
      const { status, message } = decision;
      if (status === 404) return { kind: 'NOT_FOUND', message };
      if (status === 405 || status === 501) return { kind: 'UNSUPPORTED', message };
      return { kind: 'OUTCOME', outcome: { status: 'REFUSED', message } };
    }
  }
}

const REMOVED: RemovalOutcome = { status: 'REMOVED' };
