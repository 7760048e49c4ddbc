import { useQuery } from '@apollo/client/react';
import { NativeSelect } from '@mantine/core';
import { useEffect, useMemo, useState } from 'react';
import { formatMoment, formatShortMoment } from '../format/format.ts';
import type { ErrorStage } from '../generated/graphql.ts';
import { type FragmentType, graphql, readFragment } from '../generated/index.ts';
import { gathered } from '../parts/gathered.ts';
import { JsonView } from '../parts/json-view.tsx';
import { LoadMore } from '../parts/load-more.tsx';
import { Loading } from '../parts/loading.tsx';
import { RequestError } from '../parts/notice.tsx';

const ErrorRow = graphql(`
  fragment ErrorRow on JobError {
    id
    stage
    dataType
    itemId
    message
    row
    createdAt
    partition {
      id
      sourceName
    }
  }
`);

const Errors = graphql(`
  query JobErrors($id: ID!, $first: Int!, $after: String, $stages: [ErrorStage!]) {
    job(id: $id) {
      id
      errors(first: $first, after: $after, stages: $stages) {
        totalCount
        pageInfo {
          hasNextPage
          endCursor
        }
        edges {
          cursor
          node {
            id
            ...ErrorRow
          }
        }
      }
    }
  }
`);

const PAGE_SIZE = 25;

/** How long new errors of a running job are gathered before they are asked for, in milliseconds. */
const GATHER_MS = 1_000;

const STAGES: Record<ErrorStage, string> = {
  READ: 'Read',
  TRANSFORM: 'Transform',
  SAVE: 'Save',
  UPLOAD: 'Upload',
};

/**
 * Everything that went wrong in a job, with the rows.
 * @param errorCount of the job as it is now: when it grows, the list is asked for again.
 */
export function JobErrors({ id, errorCount }: { id: string; errorCount: number }) {
  const [stage, setStage] = useState<ErrorStage | null>(null);
  const { data, error, refetch, fetchMore } = useQuery(Errors, {
    variables: { id, first: PAGE_SIZE, stages: stage === null ? null : [stage] },
    fetchPolicy: 'cache-and-network',
    nextFetchPolicy: 'cache-first',
  });
  const renewal = useMemo(() => gathered(() => refetch().catch(() => {}), GATHER_MS), [refetch]);
  useEffect(() => renewal.cancel, [renewal]);
  useEffect(() => {
    if (errorCount > 0) renewal.soon();
  }, [errorCount, renewal]);
  const errors = data?.job?.errors;

  return (
    <section className="panel" aria-labelledby="errors">
      <div className="panel-head">
        <h2 id="errors">Errors</h2>
        {(errorCount > 0 || stage !== null) && (
          <NativeSelect
            size="xs"
            aria-label="Stage of the errors"
            value={stage ?? ''}
            onChange={({ currentTarget: { value } }) => setStage(isStage(value) ? value : null)}
            data={[
              { value: '', label: 'All stages' },
              ...Object.entries(STAGES).map(([value, label]) => ({ value, label })),
            ]}
          />
        )}
      </div>
      {error !== undefined && errors === undefined && (
        <RequestError error={error} onRetry={() => void refetch()} />
      )}
      {error === undefined && errors === undefined && <Loading what="errors" />}
      {errors !== undefined && errors.edges.length === 0 && (
        <p className="faint">
          {stage === null ? 'Nothing has gone wrong.' : 'Nothing has gone wrong in this stage.'}
        </p>
      )}
      {errors !== undefined && errors.edges.length > 0 && (
        <>
          <ul className="errors">
            {errors.edges.map(({ node }) => (
              <ErrorEntry key={node.id} error={node} />
            ))}
          </ul>
          <LoadMore
            what="errors"
            shown={errors.edges.length}
            total={errors.totalCount}
            hasMore={errors.pageInfo.hasNextPage}
            onLoad={() => fetchMore({ variables: { after: errors.pageInfo.endCursor } })}
          />
        </>
      )}
    </section>
  );
}

function ErrorEntry({ error }: { error: FragmentType<typeof ErrorRow> }) {
  const { stage, dataType, itemId, message, row, createdAt, partition } = readFragment(ErrorRow, error);
  return (
    <li>
      <details>
        <summary>
          <span className="stage">{STAGES[stage]}</span>
          <span className="error-message">{message}</span>
          <span className="faint error-item mono">{itemId ?? dataType}</span>
        </summary>
        <dl className="list">
          <dt>Item</dt>
          <dd className="mono break">{itemId ?? 'has no id'}</dd>
          <dt>Source</dt>
          <dd>
            {partition.sourceName} ({dataType})
          </dd>
          <dt>When</dt>
          <dd title={formatMoment(createdAt)}>{formatShortMoment(createdAt)}</dd>
        </dl>
        {row === null ? (
          <p className="faint">
            {stage === 'READ'
              ? 'The source as a whole could not be read.'
              : 'The item is stored: Items has its row.'}
          </p>
        ) : (
          <JsonView value={row} label="The row as it was read" />
        )}
      </details>
    </li>
  );
}

function isStage(value: string): value is ErrorStage {
  return Object.hasOwn(STAGES, value);
}
