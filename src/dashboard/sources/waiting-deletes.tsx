import { Button, Group } from '@mantine/core';
import { useState } from 'react';
import { ConfirmDialog } from '../actions/dialog.tsx';
import { RefusalNotice } from '../actions/refusal.tsx';
import { useAction } from '../actions/use-action.ts';
import { formatAmount, formatMoment } from '../format/format.ts';
import type { SourceRowFragment } from '../generated/graphql.ts';
import { graphql } from '../generated/index.ts';
import { Notice } from '../parts/notice.tsx';
import { useAccess } from '../shell/access.tsx';

const ApproveDeletes = graphql(`
  mutation ApproveDeletes($input: ApproveDeletesInput!) {
    approveDeletes(input: $input) {
      ... on ApproveDeletesSuccess {
        dataSource {
          id
          ...SourceRow
        }
      }
      ...RefusalReason
    }
  }
`);

const RejectDeletes = graphql(`
  mutation RejectDeletes($input: RejectDeletesInput!) {
    rejectDeletes(input: $input) {
      ... on RejectDeletesSuccess {
        dataSource {
          id
          ...SourceRow
        }
      }
      ...RefusalReason
    }
  }
`);

interface WaitingDeletesProps {
  readonly id: string;
  readonly name: string;
  readonly waiting: NonNullable<SourceRowFragment['waitingDeletes']>;
}

/** Lets an admin decide deletes that are more than a sync may make by itself. */
export function WaitingDeletes({ id, name, waiting: { jobId, count, expiresAt } }: WaitingDeletesProps) {
  const { control, note } = useAccess('ADMIN');
  const [isAsking, setAsking] = useState(false);
  const { run, running, refusal } = useAction();
  const decided = { jobId, dataSourceId: id };

  async function approve() {
    await run(ApproveDeletes, { input: { ...decided, expectedCount: count } });
    setAsking(false);
  }

  return (
    <Notice title="Deletes wait for an admin" isError={false}>
      {formatAmount(count, 'item')} of {name} had no row in the table any more. They stay unless an admin
      approves their deletion until {formatMoment(expiresAt)}, or the next FULL sync finds something else.
      {note}
      <Group mt="xs">
        <Button {...control} variant="default" onClick={() => setAsking(true)}>
          Delete them
        </Button>
        <Button
          {...control}
          variant="default"
          loading={running !== null && !isAsking}
          onClick={() => void run(RejectDeletes, { input: decided })}
        >
          Keep them
        </Button>
      </Group>
      <RefusalNotice refusal={refusal} />
      {isAsking && (
        <ConfirmDialog
          title={`Delete ${formatAmount(count, 'item')}?`}
          confirm="Delete items"
          dismiss="Keep items"
          isBusy={running !== null}
          onConfirm={() => void approve()}
          onClose={() => setAsking(false)}
        >
          Their rows were gone from the table of {name}. Items whose rows a later sync has seen stay.
        </ConfirmDialog>
      )}
    </Notice>
  );
}
