import { useMutation } from '@apollo/client/react';
import { Button } from '@mantine/core';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { graphql } from '../generated/index.ts';
import { ConfirmDialog } from '../parts/dialog.tsx';
import { describeError, ErrorNotice } from '../parts/notice.tsx';
import { RoleNote, useMay } from '../shell/viewer.tsx';

const DeleteDataSource = graphql(`
  mutation DeleteDataSource($id: ID!) {
    deleteDataSource(id: $id) {
      ... on DeleteDataSourceSuccess {
        deletedId
      }
      ... on Error {
        message
      }
    }
  }
`);

/** Deletes a source, after it was asked for twice. */
export function DeleteSource({ id, name }: { id: string; name: string }) {
  const navigate = useNavigate();
  const mayDelete = useMay('ADMIN');
  const [isAsking, setAsking] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [remove, { loading }] = useMutation(DeleteDataSource);

  async function onConfirm() {
    setProblem(null);
    try {
      const { data } = await remove({ variables: { id } });
      const result = data?.deleteDataSource;
      if (result?.__typename === 'DeleteDataSourceSuccess') void navigate('/sources', { replace: true });
      else if (result !== undefined) setProblem(result.message);
    } catch (error) {
      setProblem(describeError(error));
    }
    setAsking(false);
  }

  return (
    <>
      <RoleNote needed="ADMIN" id="delete-role" />
      <Button
        variant="default"
        disabled={!mayDelete}
        aria-describedby="delete-role"
        onClick={() => setAsking(true)}
      >
        Delete
      </Button>
      {problem !== null && <ErrorNotice title="That was not possible">{problem}</ErrorNotice>}
      {isAsking && (
        <ConfirmDialog
          title="Delete this data source?"
          action="Delete the data source"
          isBusy={loading}
          onConfirm={() => void onConfirm()}
          onClose={() => setAsking(false)}
        >
          <p>
            {name} is forgotten with its schedule and watermark, and no sync reads its table any more. Its
            items stay, and so does the history of its jobs.
          </p>
        </ConfirmDialog>
      )}
    </>
  );
}
