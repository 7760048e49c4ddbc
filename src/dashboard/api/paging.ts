import type { FieldPolicy, Reference } from '@apollo/client';

interface Edge {
  readonly cursor: string;
  readonly node: Reference;
}

interface Connection {
  readonly edges: readonly Edge[];
  readonly pageInfo: { readonly endCursor: string | null; readonly hasNextPage: boolean };
  readonly totalCount: number;
}

/**
 * Merges the pages of a connection into one list.
 * A page replaces the known edges from its first to its last; those loaded beyond it stay, so that a long list keeps its
 * place while its beginning is reloaded.
 * @param keyArgs the arguments that make it a different list, such as its filter.
 */
export function mergePages(keyArgs: string[]): FieldPolicy<Connection> {
  return {
    keyArgs,
    merge(known, incoming, { args }) {
      if (known === undefined) return incoming;
      const after: unknown = args?.after;
      const start = typeof after === 'string' ? findIndexAfter(known.edges, after) : 0;
      const last = incoming.edges.at(-1)?.node.__ref;
      const join = known.edges.findIndex(({ node }) => node.__ref === last);
      const beyond = join === -1 ? [] : known.edges.slice(join + 1);
      return {
        ...incoming,
        edges: removeRepeats([...known.edges.slice(0, start), ...incoming.edges, ...beyond]),
        pageInfo: beyond.length === 0 ? incoming.pageInfo : known.pageInfo,
      };
    },
  };
}

function findIndexAfter(edges: readonly Edge[], cursor: string): number {
  const index = edges.findIndex((edge) => edge.cursor === cursor);
  return index === -1 ? edges.length : index + 1;
}

function removeRepeats(edges: readonly Edge[]): Edge[] {
  return [...new Map(edges.map((edge) => [edge.node.__ref, edge])).values()];
}
