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
 * Joins the pages of a connection into one list.
 * A page takes the place of what was known from where it begins to where it ends; what was loaded beyond it stays, so
 * that a list keeps its place while its beginning is asked for again.
 * @param keyArgs the arguments that make it another list, such as its filter.
 */
export function pagedList(keyArgs: string[]): FieldPolicy<Connection> {
  return {
    keyArgs,
    merge(known, incoming, { args }) {
      if (known === undefined) return incoming;
      const after: unknown = args?.after;
      const start = typeof after === 'string' ? indexAfter(known.edges, after) : 0;
      const last = incoming.edges.at(-1)?.node.__ref;
      const join = known.edges.findIndex(({ node }) => node.__ref === last);
      const beyond = join === -1 ? [] : known.edges.slice(join + 1);
      return {
        ...incoming,
        edges: withoutRepeats([...known.edges.slice(0, start), ...incoming.edges, ...beyond]),
        pageInfo: beyond.length === 0 ? incoming.pageInfo : known.pageInfo,
      };
    },
  };
}

function indexAfter(edges: readonly Edge[], cursor: string): number {
  const index = edges.findIndex((edge) => edge.cursor === cursor);
  return index === -1 ? edges.length : index + 1;
}

function withoutRepeats(edges: readonly Edge[]): Edge[] {
  return [...new Map(edges.map((edge) => [edge.node.__ref, edge])).values()];
}
