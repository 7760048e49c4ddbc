import { useMutation } from '@apollo/client/react';
import { Button } from '@mantine/core';
import { formatCount } from '../format/format.ts';
import type { TestDataSourceMutation } from '../generated/graphql.ts';
import { graphql } from '../generated/index.ts';
import { Icon } from '../parts/icon.tsx';
import { describeError, ErrorNotice } from '../parts/notice.tsx';
import { RoleNote, useMay } from '../shell/viewer.tsx';

const TestDataSource = graphql(`
  mutation TestDataSource($id: ID!) {
    testDataSource(id: $id) {
      ... on TestDataSourceSuccess {
        isReadable
        problem
        rowCount
        columns {
          name
          type
        }
        missingColumns
        surplusColumns
        warnings
      }
      ... on Error {
        message
      }
    }
  }
`);

/** Looks whether the table of a source can be read and fits, when it is asked to. */
export function SourceTest({ id }: { id: string }) {
  const mayTest = useMay('OPERATOR');
  const [test, { data, loading, error }] = useMutation(TestDataSource);
  const result = data?.testDataSource;
  return (
    <>
      <p className="faint">
        Looks whether its table can be read and fits its data type, as it was last saved.
      </p>
      <Button
        size="xs"
        variant="default"
        loading={loading}
        disabled={!mayTest}
        aria-describedby="test-role"
        onClick={() => void test({ variables: { id } }).catch(() => {})}
      >
        Test connection
      </Button>{' '}
      <RoleNote needed="OPERATOR" id="test-role" />
      <div role="status">{result?.__typename === 'TestDataSourceSuccess' && <Outcome result={result} />}</div>
      {result !== undefined && result.__typename !== 'TestDataSourceSuccess' && (
        <ErrorNotice title="That was not possible">{result.message}</ErrorNotice>
      )}
      {error !== undefined && <ErrorNotice title="That was not possible">{describeError(error)}</ErrorNotice>}
    </>
  );
}

type TestResult = Extract<TestDataSourceMutation['testDataSource'], { __typename: 'TestDataSourceSuccess' }>;

function Outcome({ result }: { result: TestResult }) {
  const { isReadable, problem, rowCount, columns, missingColumns, surplusColumns, warnings } = result;
  return (
    <div className="outcome">
      <p className="status" data-tone={isReadable ? 'good' : 'bad'}>
        <Icon name={isReadable ? 'check' : 'cross'} size={14} />
        {isReadable ? `Readable, ${formatCount(rowCount)} rows` : 'Cannot be read'}
      </p>
      {problem !== null && <p className="bad long-text">{problem}</p>}
      {warnings.map((warning) => (
        <p key={warning} className="waiting">
          <Icon name="warning" size={14} /> {warning}
        </p>
      ))}
      {isReadable && (
        <dl className="list">
          <dt>Columns</dt>
          <dd>
            {columns.map(({ name, type }) => (
              <span key={name} className="mono column">
                {name} <span className="faint">{type}</span>
              </span>
            ))}
          </dd>
          <dt>Not there</dt>
          <dd className="mono">{missingColumns.length === 0 ? 'none' : missingColumns.join(', ')}</dd>
          <dt>Beyond its type</dt>
          <dd className="mono">{surplusColumns.length === 0 ? 'none' : surplusColumns.join(', ')}</dd>
        </dl>
      )}
    </div>
  );
}
