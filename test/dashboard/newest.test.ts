import { ApolloClient, ApolloLink, InMemoryCache } from '@apollo/client';
import { parse } from 'graphql';
import { Observable, Subject } from 'rxjs';
import { expect, test } from 'vitest';
import { createNewestLink } from '../../src/dashboard/api/newest-link.ts';
import { pagedList } from '../../src/dashboard/api/paging.ts';

/** Parsed as they are, as they are of a schema of this test's own. */
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

test('an answer that a newer event has overtaken is asked for again, and an older event is dropped', async () => {
  const events = new Subject<ApolloLink.Result>();
  const answers = [job(5, 'RUNNING'), job(7, 'COMPLETED')];
  let asked = 0;
  const terminal = new ApolloLink(({ operationType }) =>
    operationType === 'subscription'
      ? events
      : new Observable((observer) => {
          // The end of the job comes while the answer is on its way.
          if (asked === 0) events.next({ data: { jobProgress: job(7, 'COMPLETED') } });
          const answer = answers[asked] ?? null;
          asked += 1;
          observer.next({ data: { job: answer } });
          observer.complete();
        }),
  );
  const client = new ApolloClient({ cache: new InMemoryCache(), link: createNewestLink().concat(terminal) });
  const seen: unknown[] = [];
  client.subscribe({ query: PROGRESS }).subscribe(({ data }) => seen.push(data));
  const { data } = await client.query({ query: JOB });
  expect(data).toEqual({ job: job(7, 'COMPLETED') });
  expect(asked).toBe(2);

  events.next({ data: { jobProgress: job(6, 'RUNNING') } });
  expect(seen).toEqual([{ jobProgress: job(7, 'COMPLETED') }]);
  expect(client.readQuery({ query: JOB })).toEqual({ job: job(7, 'COMPLETED') });
  client.stop();
});

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
      __typename: 'QueryJobsConnection',
      totalCount: 9,
      pageInfo: { __typename: 'PageInfo', hasNextPage, endCursor: ids.at(-1) ?? null },
      edges: ids.map((id) => ({ __typename: 'Edge', cursor: id, node: { __typename: 'Job', id } })),
    },
  };
}

/** The ids of the list after these pages came in, and whether more is to be loaded. */
function listAfter(pages: readonly { after?: string; ids: readonly string[]; hasNextPage: boolean }[]) {
  const cache = new InMemoryCache({ typePolicies: { Query: { fields: { jobs: pagedList([]) } } } });
  for (const { after = null, ids, hasNextPage } of pages) {
    cache.writeQuery({ query: JOBS, variables: { after }, data: page(ids, hasNextPage) });
  }
  const { jobs } = cache.readQuery<ReturnType<typeof page>>({ query: JOBS }) ?? page([], false);
  return { ids: jobs.edges.map(({ node }) => node.id).join(''), hasNextPage: jobs.pageInfo.hasNextPage };
}

const FIRST = { ids: ['d', 'c'], hasNextPage: true };
const SECOND = { after: 'c', ids: ['b', 'a'], hasNextPage: false };

test('a page that is loaded follows the ones before it', () => {
  expect(listAfter([FIRST, SECOND])).toEqual({ ids: 'dcba', hasNextPage: false });
});

test('a list whose beginning is asked for again keeps its place, with what is new at its top and without what is gone', () => {
  expect(listAfter([FIRST, SECOND, { ids: ['f', 'e', 'c'], hasNextPage: true }])).toEqual({
    ids: 'fecba',
    hasNextPage: false,
  });
});

test('a beginning that nothing of the list is in takes its place', () => {
  expect(listAfter([FIRST, SECOND, { ids: ['z', 'y'], hasNextPage: true }])).toEqual({
    ids: 'zy',
    hasNextPage: true,
  });
});

test('a list that has become empty is empty', () => {
  expect(listAfter([FIRST, { ids: [], hasNextPage: false }])).toEqual({ ids: '', hasNextPage: false });
});
