import { NativeSelect } from '@mantine/core';
import { useEffect, useState } from 'react';
import { ErrorRow } from '../api/fragments/job-error.ts';
import { readConnection, useList } from '../api/use-list.ts';
import { Fact, Facts } from '../details/facts.tsx';
import { Panel } from '../details/panel.tsx';
import { JsonView } from '../details/text-view.tsx';
import type { ErrorRowFragment, ErrorStage, JobErrorsQuery } from '../generated/graphql.ts';
import { graphql, readFragment } from '../generated/index.ts';
import { ListView } from '../parts/list-view.tsx';
import { Faint, Mono } from '../parts/text.tsx';
import { Moment } from '../parts/time.tsx';
import styles from './job-errors.module.css';

const Errors = graphql(`
  query JobErrors($id: ID!, $first: Int!, $after: String, $stages: [ErrorStage!]) {
    job(id: $id) {
      id
      errors(first: $first, after: $after, stages: $stages) {
        totalCount
        isTotalCountExact
        pageInfo {
          ...PageEnd
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

const STAGES: Record<ErrorStage, string> = {
  READ: 'Read',
  TRANSFORM: 'Transform',
  SAVE: 'Save',
  UPLOAD: 'Upload',
};

function readErrors({ job }: JobErrorsQuery) {
  return job && readConnection(job.errors, (node) => readFragment(ErrorRow, node));
}

interface JobErrorsProps {
  readonly jobId: string;
  /** The job's count of errors: when it changes, the list is loaded again. */
  readonly errorCount: number;
  /** A source that could not be read is listed as an error, but not counted. */
  readonly hasFailed: boolean;
}

/** Lists the errors of a job, with the rows that caused them. */
export function JobErrors({ jobId, errorCount, hasFailed }: JobErrorsProps) {
  const [stage, setStage] = useState<ErrorStage | null>(null);
  const stages = stage === null ? null : [stage];
  const list = useList(Errors, { id: jobId, stages }, readErrors, PAGE_SIZE);
  const { renew } = list;
  useEffect(() => {
    if (errorCount > 0 || hasFailed) renew();
  }, [errorCount, hasFailed, renew]);

  return (
    <Panel
      title="Errors"
      id="errors"
      controls={
        (errorCount > 0 || hasFailed || stage !== null) && (
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
        )
      }
    >
      <ListView
        list={list}
        noun="error"
        empty={<Faint>{stage === null ? 'No errors.' : 'No errors in this stage.'}</Faint>}
      >
        {(errors) => (
          <ul className={styles.errors}>
            {errors.map((error) => (
              <ErrorEntry key={error.id} error={error} />
            ))}
          </ul>
        )}
      </ListView>
    </Panel>
  );
}

function ErrorEntry({ error }: { error: ErrorRowFragment }) {
  const { stage, dataType, itemId, message, row, createdAt, partition } = error;
  return (
    <li>
      <details>
        <summary>
          <span className={styles.stage}>{STAGES[stage]}</span>
          <span>{message}</span>
          <Mono c="dimmed" className={styles.item}>
            {itemId ?? dataType}
          </Mono>
        </summary>
        <Facts>
          <Fact name="Item">{itemId === null ? 'no ID' : <Mono>{itemId}</Mono>}</Fact>
          <Fact name="Source">
            {partition.sourceName} ({dataType})
          </Fact>
          <Fact name="When">
            <Moment at={createdAt} />
          </Fact>
        </Facts>
        {row === null ? (
          <p>
            <Faint>
              {stage === 'READ'
                ? 'The source could not be read, or not to its end.'
                : 'The item was saved. Its row is under Items.'}
            </Faint>
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
