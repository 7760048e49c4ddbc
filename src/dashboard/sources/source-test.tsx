import { Button, Text } from '@mantine/core';
import { useState } from 'react';
import { RefusalNotice } from '../actions/refusal.tsx';
import { type Success, useAction } from '../actions/use-action.ts';
import { Fact, Facts } from '../details/facts.tsx';
import { formatAmount } from '../format/format.ts';
import type { TestDataSourceMutation } from '../generated/graphql.ts';
import { graphql } from '../generated/index.ts';
import { Icon } from '../parts/icon.tsx';
import { Mark } from '../parts/status.tsx';
import { Faint, Message, Mono } from '../parts/text.tsx';
import { useAccess } from '../shell/access.tsx';
import styles from './source-test.module.css';

const TestDataSource = graphql(`
  mutation TestDataSource($input: TestDataSourceInput!) {
    testDataSource(input: $input) {
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
      ...RefusalReason
    }
  }
`);

type TestResult = Success<TestDataSourceMutation>;

/** Tests on demand whether the table of a source can be read and fits its data type. */
export function SourceTest({ id }: { id: string }) {
  const { control, note } = useAccess('OPERATOR');
  const { run, running, refusal } = useAction();
  const [result, setResult] = useState<TestResult | null>(null);
  return (
    <>
      <Text inherit c="dimmed" mb={10}>
        Checks whether the saved table can be read and fits its data type.
      </Text>
      <Button
        {...control}
        size="xs"
        variant="default"
        loading={running !== null}
        onClick={() => void run(TestDataSource, { input: { id } }).then(setResult)}
      >
        Test connection
      </Button>{' '}
      {note}
      <div role="status">{result !== null && <Outcome result={result} />}</div>
      <RefusalNotice refusal={refusal} />
    </>
  );
}

function Outcome({ result }: { result: TestResult }) {
  const { isReadable, problem, rowCount, columns, missingColumns, surplusColumns, warnings } = result;
  return (
    <div className={styles.outcome}>
      <p>
        <Mark icon={isReadable ? 'check' : 'cross'} color={isReadable ? 'green' : 'red'}>
          {isReadable ? 'Readable' : 'Not readable'}
          {rowCount !== null && `, ${formatAmount(rowCount, 'row')}`}
        </Mark>
      </p>
      {problem !== null && <Message c="red">{problem}</Message>}
      {warnings.map((warning) => (
        <Text key={warning} inherit c="orange">
          <Icon name="warning" size={14} /> {warning}
        </Text>
      ))}
      {isReadable && (
        <Facts>
          <Fact name="Columns">
            {columns.map(({ name, type }) => (
              <Mono key={name} className={styles.column ?? ''}>
                {name} <Faint>{type}</Faint>
              </Mono>
            ))}
          </Fact>
          <Fact name="Missing columns">
            <Mono>{missingColumns.length === 0 ? 'none' : missingColumns.join(', ')}</Mono>
          </Fact>
          <Fact name="Extra columns">
            <Mono>{surplusColumns.length === 0 ? 'none' : surplusColumns.join(', ')}</Mono>
          </Fact>
        </Facts>
      )}
    </div>
  );
}
