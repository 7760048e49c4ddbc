import { useConnectionState } from '../api/api-context.tsx';
import type { ConnectionState } from '../api/connection.ts';
import { Icon } from '../parts/icon.tsx';
import styles from './connection-badge.module.css';

const TEXTS: Record<ConnectionState, { text: string; title: string }> = {
  connecting: { text: 'Connecting', title: 'Connecting to live updates' },
  connected: { text: 'Live', title: 'Job changes appear as they happen' },
  lost: { text: 'Offline', title: 'No updates: the connection is lost' },
};

/** Shows whether changes reach this page. */
export function ConnectionBadge() {
  const state = useConnectionState();
  const { text, title } = TEXTS[state];
  return (
    <span className={styles.badge} data-state={state} title={title}>
      {text}
    </span>
  );
}

/** Warns that the page may be out of date while the connection is lost. */
export function ConnectionBanner() {
  const state = useConnectionState();
  return (
    <div role="status">
      {state === 'lost' && (
        <p className={styles.banner}>
          <Icon name="warning" />
          Connection lost. This page may be out of date and will catch up when the server is back.
        </p>
      )}
    </div>
  );
}
