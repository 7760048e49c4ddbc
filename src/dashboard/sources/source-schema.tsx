import { Button, Text } from '@mantine/core';
import { RefusalNotice } from '../actions/refusal.tsx';
import { useAction } from '../actions/use-action.ts';
import { formatAmount } from '../format/format.ts';
import type { SourceSchemaPartsFragment } from '../generated/graphql.ts';
import { type FragmentType, graphql, readFragment } from '../generated/index.ts';
import { Icon } from '../parts/icon.tsx';
import { Faint, Mono } from '../parts/text.tsx';
import { RelativeMoment } from '../parts/time.tsx';
import { useAccess } from '../shell/access.tsx';
import styles from './source-page.module.css';

const SourceSchemaParts = graphql(`
  fragment SourceSchemaParts on DataSource {
    id
    schema {
      name
      type
      comment
      isNullable
    }
    schemaChanges {
      foundAt
      isStopped
      changes {
        column
        message
      }
    }
  }
`);

const AcceptSchemaChange = graphql(`
  mutation AcceptSchemaChange($input: AcceptSchemaChangeInput!) {
    acceptSchemaChange(input: $input) {
      ... on AcceptSchemaChangeSuccess {
        dataSource {
          id
          ...SourceSchemaParts
        }
      }
      ...RefusalReason
    }
  }
`);

interface SourceSchemaProps {
  readonly source: FragmentType<typeof SourceSchemaParts>;
  readonly onAccepted: () => void;
}

/** Shows the columns of the table of a source, and what has changed in them. */
export function SourceSchema({ source, onAccepted }: SourceSchemaProps) {
  const { id, schema, schemaChanges } = readFragment(SourceSchemaParts, source);
  return (
    <>
      {schemaChanges !== null && <Changes found={schemaChanges} />}
      {schemaChanges?.isStopped === true && <Accept id={id} onAccepted={onAccepted} />}
      {schema === null ? (
        <Faint>Known once a sync has read the table.</Faint>
      ) : (
        <details>
          <summary>{formatAmount(schema.length, 'column')}</summary>
          <ul className={styles.runs}>
            {schema.map((column) => (
              <Column key={column.name} {...column} />
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

type Parts = SourceSchemaPartsFragment;

function Column({ name, type, comment, isNullable }: NonNullable<Parts['schema']>[number]) {
  return (
    <li>
      <Mono>
        {name} <Faint>{type}</Faint>
      </Mono>
      {isNullable === false && <Faint>never NULL</Faint>}
      {comment !== null && <span>{comment}</span>}
    </li>
  );
}

function Changes({ found: { foundAt, changes, isStopped } }: { found: NonNullable<Parts['schemaChanges']> }) {
  return (
    <div>
      <Text inherit c={isStopped ? 'red' : 'dimmed'}>
        {isStopped && <Icon name="warning" size={14} />} {isStopped ? 'Stopped by changes' : 'Last changes'}{' '}
        <RelativeMoment at={foundAt} />
      </Text>
      <ul className={styles.runs}>
        {changes.map(({ message }) => (
          <li key={message}>{message}</li>
        ))}
      </ul>
    </div>
  );
}

function Accept({ id, onAccepted }: { id: string; onAccepted: () => void }) {
  const { control, note } = useAccess('ADMIN');
  const { run, running, refusal } = useAction();

  async function accept() {
    if ((await run(AcceptSchemaChange, { input: { id } })) !== null) onAccepted();
  }

  return (
    <>
      <Button
        {...control}
        size="xs"
        variant="default"
        loading={running !== null}
        onClick={() => void accept()}
      >
        Accept the changes
      </Button>{' '}
      {note}
      <RefusalNotice refusal={refusal} />
    </>
  );
}
