import type { CommandContext } from './context.ts';
import { formatCount } from './text.ts';

/** A page as the API returns it. */
interface Connection<Node> {
  readonly totalCount: number;
  readonly isTotalCountExact: boolean;
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  readonly edges: readonly { readonly node: Node }[];
}

/** The entries that a list command writes. */
export interface List<Node> {
  /** What the entries are: the name of their field in JSON. */
  readonly name: 'jobs' | 'errors' | 'items';
  /** Reads one page from the API. */
  readonly readPage: (page: { first: number; after: string | null }) => Promise<Connection<Node>>;
  readonly headings: readonly string[];
  readonly toRow: (node: Node) => readonly string[];
}

/** Reads all entries of a list, page by page. */
export async function readAll<Node>(
  readPage: (after: string | null) => Promise<Page<Node>>,
  first: Page<Node> | null = null,
): Promise<Node[]> {
  const nodes: Node[] = [];
  for (let page = first ?? (await readPage(null)); ; page = await readPage(page.pageInfo.endCursor)) {
    nodes.push(...page.nodes);
    if (!page.pageInfo.hasNextPage || page.pageInfo.endCursor === null) return nodes;
  }
}

interface Page<Node> {
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  readonly nodes: readonly Node[];
}

/** The page of a job that was pruned in the meantime. */
export const NO_PAGE = { pageInfo: { hasNextPage: false, endCursor: null }, nodes: [] };

/** As many entries as the API returns at once without much work. */
const LARGEST_PAGE = 100;

/** Writes up to `limit` entries of a list, and says how to get the rest. @param options.after where to continue. */
export async function writeList<Node>(
  { output }: CommandContext,
  { limit, after }: { readonly limit: number; readonly after?: string },
  { name, readPage, headings, toRow }: List<Node>,
): Promise<undefined> {
  const nodes: Node[] = [];
  let nextCursor = after ?? null;
  let total: { totalCount: number; isTotalCountExact: boolean };
  do {
    const first = Math.min(LARGEST_PAGE, limit - nodes.length);
    const { pageInfo, edges, totalCount, isTotalCountExact } = await readPage({ first, after: nextCursor });
    nodes.push(...edges.map(({ node }) => node));
    nextCursor = pageInfo.hasNextPage ? pageInfo.endCursor : null;
    total = { totalCount, isTotalCountExact };
  } while (nextCursor !== null && nodes.length < limit);
  output.writeResult({ ...total, [name]: nodes, nextCursor }, () => {
    output.writeTable([headings, ...nodes.map(toRow)]);
    if (nextCursor === null) return;
    const count = `${formatCount(total.totalCount)}${total.isTotalCountExact ? '' : '+'}`;
    const shown = `${formatCount(nodes.length)} of ${count} ${name}`;
    output.say(`${shown}; for more: --after ${nextCursor}`);
  });
}
