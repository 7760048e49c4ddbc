import type { Output } from './output.ts';
import { formatCount } from './text.ts';

/** A page as the API gives it. */
interface Connection<Node> {
  readonly totalCount: number;
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor?: string | null };
  readonly edges: readonly { readonly node: Node }[];
}

/** Part of a list. */
export interface Page<Node> {
  readonly totalCount: number;
  readonly nodes: readonly Node[];
  /** What `--after` takes for the rest of the list; null at its end. */
  readonly nextCursor: string | null;
}

/** As many as the API gives at once without much work. */
const LARGEST_REQUEST = 100;

/** Reads up to `limit` entries of a list, in as many requests as it takes. @param read one request's page. */
export async function readPages<Node>(
  { limit, after }: { readonly limit: number; readonly after?: string },
  read: (page: { first: number; after: string | null }) => Promise<Connection<Node>>,
): Promise<Page<Node>> {
  const nodes: Node[] = [];
  let cursor = after ?? null;
  for (;;) {
    const first = Math.min(LARGEST_REQUEST, limit - nodes.length);
    const { totalCount, pageInfo, edges } = await read({ first, after: cursor });
    nodes.push(...edges.map(({ node }) => node));
    cursor = pageInfo.hasNextPage ? (pageInfo.endCursor ?? null) : null;
    if (cursor === null || nodes.length >= limit) return { totalCount, nodes, nextCursor: cursor };
  }
}

/** Says how much of the list was given, and how to get at the rest. */
export function sayRest(output: Output, { totalCount, nodes, nextCursor }: Page<unknown>, of: string): void {
  if (nextCursor === null) return;
  output.say(
    `${formatCount(nodes.length)} of ${formatCount(totalCount)} ${of}; for more: --after ${nextCursor}`,
  );
}
