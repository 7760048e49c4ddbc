import { useNavigate } from 'react-router';
import { RefusalNotice } from '../actions/refusal.tsx';
import { useAction } from '../actions/use-action.ts';
import { readKey } from '../format/ids.ts';
import { graphql } from '../generated/index.ts';
import { IconButton } from '../parts/icon-button.tsx';
import { useAccess } from '../shell/access.tsx';

const StartSourceSync = graphql(`
  mutation StartSourceSync($input: StartSyncInput!) {
    startSync(input: $input) {
      ... on StartSyncSuccess {
        job {
          id
        }
      }
      ...RefusalReason
    }
  }
`);

/** Starts a sync of one source, as its schedule would, and opens the page of the job. */
export function SyncSource({ id, isEnabled }: { id: string; isEnabled: boolean }) {
  const navigate = useNavigate();
  const { control, note } = useAccess('OPERATOR');
  const { run, running, refusal } = useAction();

  async function start() {
    const result = await run(StartSourceSync, { input: { syncType: 'INCREMENTAL', dataSourceIds: [id] } });
    if (result !== null) void navigate(`/jobs/${readKey(result.job.id)}`);
  }

  return (
    <>
      {note}
      <IconButton
        {...control}
        icon="play"
        disabled={control.disabled || !isEnabled}
        loading={running !== null}
        onClick={() => void start()}
      >
        Sync now
      </IconButton>
      <RefusalNotice refusal={refusal} />
    </>
  );
}
