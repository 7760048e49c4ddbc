import type { OperationVariables, TypedDocumentNode } from '@apollo/client';
import { useApolloClient, useQuery } from '@apollo/client/react';
import { useEffect, useMemo, useRef } from 'react';
import { type FragmentType, readFragment } from '../generated/index.ts';
import { useReconnect } from './api-context.tsx';
import { FOLLOWED } from './client.ts';
import { coalesce } from './coalesce.ts';
import { PageEnd } from './fragments/page-info.ts';

/** The rows that are loaded. */
export interface Rows<Row> {
  readonly rows: readonly Row[];
  /** How many there are on the server; null for a list that is always loaded whole. */
  readonly total: Total | null;
  /** Where the next page begins; null if there is none. */
  readonly next: string | null;
}

export interface List<Row> {
  /** Null until they are loaded. */
  readonly loaded: Rows<Row> | null;
  /** Why there is nothing to show. */
  readonly error: unknown;
  readonly loadMore: () => Promise<unknown>;
  readonly reload: () => void;
  /** Loads everything shown again, soon, and once for all calls until then. */
  readonly renew: () => void;
}

/** The most rows the server returns at once. */
const MAX_PAGE = 200;

/** How long changes gather before the list is loaded again, in milliseconds. */
const RENEW_MS = 500;

/**
 * Loads a list page by page and keeps it current.
 * @param read takes the rows out of an answer; must be the same function each time.
 * @param pageSize rows per page; the document takes it as `first`, and the end of the previous page as `after`.
 * @param isFollowed whether a feed keeps it current, also after the connection was lost.
 */
export function useList<Data, Variables extends OperationVariables, Row>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Omit<Variables, 'first' | 'after'>,
  read: (data: Data) => Rows<Row> | null,
  pageSize = 25,
  isFollowed = false,
): List<Row> {
  const client = useApolloClient();
  const query = document as TypedDocumentNode<Data, OperationVariables>;
  const { data, previousData, error, fetchMore, refetch } = useQuery(query, {
    variables: { ...variables, first: pageSize },
    fetchPolicy: 'cache-and-network',
    nextFetchPolicy: 'cache-first',
    ...(isFollowed ? { context: FOLLOWED } : {}),
  });
  // Rows of the previous filter stay until those of the new one are loaded.
  const shown = (data ?? (error === undefined ? previousData : undefined)) as Data | undefined;
  const loaded = useMemo(() => (shown === undefined ? null : read(shown)), [shown, read]);
  const current = useRef({ variables, loaded });
  current.current = { variables, loaded };

  const renewal = useMemo(
    () =>
      coalesce(async () => {
        let after: string | null = null;
        let missing = Math.max(pageSize, current.current.loaded?.rows.length ?? 0);
        while (missing > 0) {
          const page: Rows<Row> | null = await client
            .query({
              query,
              variables: { ...current.current.variables, first: Math.min(missing, MAX_PAGE), after },
              fetchPolicy: 'network-only',
            })
            .then(({ data }) => read(data as Data))
            // The next change, or the next connection, tries again.
            .catch(() => null);
          after = page?.next ?? null;
          if (after === null) return;
          missing -= MAX_PAGE;
        }
      }, RENEW_MS),
    [client, query, read, pageSize],
  );
  useEffect(() => renewal.cancel, [renewal]);
  useReconnect(() => {
    if (!isFollowed || loaded === null) renewal.soon();
  });

  return {
    loaded,
    error: loaded === null ? error : undefined,
    loadMore: () => fetchMore({ variables: { after: loaded?.next } }),
    reload: () => void refetch().catch(() => {}),
    renew: renewal.soon,
  };
}

/** How many rows a list has; a long list is counted only up to a bound. */
export interface Total {
  readonly count: number;
  readonly isExact: boolean;
}

interface Connection<Node> {
  readonly totalCount: number;
  readonly isTotalCountExact: boolean;
  readonly pageInfo: FragmentType<typeof PageEnd>;
  readonly edges: readonly { readonly node: Node }[];
}

/** Reads the rows of a connection. */
export function readConnection<Node, Row>(
  { totalCount, isTotalCountExact, pageInfo, edges }: Connection<Node>,
  readRow: (node: Node) => Row,
): Rows<Row> {
  const { hasNextPage, endCursor } = readFragment(PageEnd, pageInfo);
  return {
    rows: edges.map(({ node }) => readRow(node)),
    total: { count: totalCount, isExact: isTotalCountExact },
    next: hasNextPage ? endCursor : null,
  };
}
