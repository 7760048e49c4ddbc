import { Button } from '@mantine/core';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { ConfirmDialog } from '../actions/dialog.tsx';
import { RefusalNotice } from '../actions/refusal.tsx';
import { useAction } from '../actions/use-action.ts';
import { graphql } from '../generated/index.ts';
import { useAccess } from '../shell/access.tsx';

const DeleteDataSource = graphql(`
  mutation DeleteDataSource($input: DeleteDataSourceInput!) {
    deleteDataSource(input: $input) {
      ... on DeleteDataSourceSuccess {
        deletedId
      }
      ...RefusalReason
    }
  }
`);

/** Deletes a data source once that is confirmed. */
export function DeleteSource({ id, name }: { id: string; name: string }) {
  const navigate = useNavigate();
  const { control, note } = useAccess('ADMIN');
  const [isAsking, setAsking] = useState(false);
  const { run, running, refusal } = useAction();

  async function confirm() {
    const result = await run(DeleteDataSource, { input: { id } });
    if (result !== null) void navigate('/sources', { replace: true });
    setAsking(false);
  }

  return (
    <>
      {note}
      <Button {...control} variant="default" onClick={() => setAsking(true)}>
        Delete
      </Button>
      <RefusalNotice refusal={refusal} />
      {isAsking && (
        <ConfirmDialog
          title="Delete this data source?"
          confirm="Delete source"
          dismiss="Keep source"
          isBusy={running !== null}
          onConfirm={() => void confirm()}
          onClose={() => setAsking(false)}
        >
          {name} will be deleted with its schedule and watermark, and syncs will no longer read its table. Its
          items and the history of its jobs stay.
        </ConfirmDialog>
      )}
    </>
  );
}
