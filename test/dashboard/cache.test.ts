import { ApolloClient, ApolloLink, InMemoryCache } from '@apollo/client';
import { parse } from 'graphql';
import { Observable, Subject } from 'rxjs';
import { expect, test } from 'vitest';
import { createRevisionLink as createLinkOfExample } from '../../docs/examples/apollo-revisions.ts';
import { mergePages } from '../../src/dashboard/api/paging.ts';
import { createRevisionLink } from '../../src/dashboard/api/revision-link.ts';

/** Parsed here, because the schema is this test's own. */
const JOB = parse(`
  query Job {
    job {
      id
      revision
      state
    }
  }
`);

const PROGRESS = parse(`
  subscription Progress {
    jobProgress {
      id
      revision
      state
    }
  }
`);

const job = (revision: number, state: string) => ({ __typename: 'Job', id: 'Job:1', revision, state });

test.each([
  ['the dashboard', createRevisionLink],
  ['the example', createLinkOfExample],
])(
  'with the link of %s, an answer that a newer event overtook is requested again, and an older event is dropped',
  async (_, createLink) => {
    const events = new Subject<ApolloLink.Result>();
    const answers = [job(5, 'RUNNING'), job(7, 'COMPLETED')];
    let requests = 0;
    const terminal = new ApolloLink(({ operationType }) =>
      operationType === 'subscription'
        ? events
        : new Observable((observer) => {
            // The job ends while the answer is on its way.
            if (requests === 0) events.next({ data: { jobProgress: job(7, 'COMPLETED') } });
            const answer = answers[requests] ?? null;
            requests += 1;
            observer.next({ data: { job: answer } });
            observer.complete();
          }),
    );
    const client = new ApolloClient({
      cache: new InMemoryCache(),
      link: createLink().concat(terminal),
    });
    const seen: unknown[] = [];
    client.subscribe({ query: PROGRESS }).subscribe(({ data }) => seen.push(data));
    const { data } = await client.query({ query: JOB });
    expect(data).toEqual({ job: job(7, 'COMPLETED') });
    expect(requests).toBe(2);

    events.next({ data: { jobProgress: job(6, 'RUNNING') } });
    expect(seen).toEqual([{ jobProgress: job(7, 'COMPLETED') }]);
    expect(client.readQuery({ query: JOB })).toEqual({ job: job(7, 'COMPLETED') });
    client.stop();
  },
);

const JOBS = parse(`
  query Jobs($after: String) {
    jobs(after: $after) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      edges {
        cursor
        node {
          id
        }
      }
    }
  }
`);

function page(ids: readonly string[], hasNextPage: boolean) {
  return {
    jobs: {
      __typename: 'JobConnection',
      totalCount: 9,
      pageInfo: { __typename: 'PageInfo', hasNextPage, endCursor: ids.at(-1) ?? null },
      edges: ids.map((id) => ({ __typename: 'Edge', cursor: id, node: { __typename: 'Job', id } })),
    },
  };
}

/** Loads these pages; returns the ids of the list, and whether there is more to load. */
function loadPages(pages: readonly { after?: string; ids: readonly string[]; hasNextPage: boolean }[]) {
  const cache = new InMemoryCache({ typePolicies: { Query: { fields: { jobs: mergePages([]) } } } });
  for (const { after = null, ids, hasNextPage } of pages) {
    cache.writeQuery({ query: JOBS, variables: { after }, data: page(ids, hasNextPage) });
  }
  const { jobs } = cache.readQuery<ReturnType<typeof page>>({ query: JOBS }) ?? page([], false);
  return { ids: jobs.edges.map(({ node }) => node.id).join(''), hasNextPage: jobs.pageInfo.hasNextPage };
}

const FIRST = { ids: ['d', 'c'], hasNextPage: true };
const SECOND = { after: 'c', ids: ['b', 'a'], hasNextPage: false };

test('a page follows the pages before it', () => {
  expect(loadPages([FIRST, SECOND])).toEqual({ ids: 'dcba', hasNextPage: false });
});

test('a long list keeps its place when its beginning is reloaded, with new rows on top and without removed ones', () => {
  expect(loadPages([FIRST, SECOND, { ids: ['f', 'e', 'c'], hasNextPage: true }])).toEqual({
    ids: 'fecba',
    hasNextPage: false,
  });
});

test('a reloaded beginning that shares no row with the list replaces it', () => {
  expect(loadPages([FIRST, SECOND, { ids: ['z', 'y'], hasNextPage: true }])).toEqual({
    ids: 'zy',
    hasNextPage: true,
  });
});

test('a list that lost all its rows is empty', () => {
  expect(loadPages([FIRST, { ids: [], hasNextPage: false }])).toEqual({ ids: '', hasNextPage: false });
});
