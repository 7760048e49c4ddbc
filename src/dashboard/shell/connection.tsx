import { useConnectionState } from '../api/api-context.tsx';
import type { ConnectionState } from '../api/connection.ts';
import { Icon } from '../parts/icon.tsx';

const TEXTS: Record<ConnectionState, string> = {
  connecting: 'Connecting',
  connected: 'Live',
  lost: 'Offline',
};

/** Whether changes reach this page at present. */
export function ConnectionMark() {
  const state = useConnectionState();
  return (
    <span
      className="connection"
      data-state={state}
      title="Whether changes of jobs reach this page as they happen"
    >
      {TEXTS[state]}
    </span>
  );
}

/** Says that what the page shows may be old, and until when. */
export function ConnectionBanner() {
  const state = useConnectionState();
  return (
    <div role="status">
      {state === 'lost' && (
        <p className="banner">
          <Icon name="warning" />
          The connection to the server is lost. This page shows what it knew last, and catches up by itself as
          soon as the server answers.
        </p>
      )}
    </div>
  );
}
