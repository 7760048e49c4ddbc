import { Button, VisuallyHidden } from '@mantine/core';
import { useSyncExternalStore } from 'react';
import { formatMarking } from '../../shared/format-marking.ts';
import { onSessionChange, readSession, signOut } from '../api/session.ts';
import { Faint } from '../parts/text.tsx';
import { nameRole, useViewer } from './access.tsx';
import styles from './viewer-badge.module.css';

/** Shows who uses the page, and signs out a viewer who had to sign in. */
export function ViewerBadge() {
  const viewer = useViewer();
  const { credential } = useSyncExternalStore(onSessionChange, readSession);
  if (viewer === undefined) return null;
  const about = `Role: ${nameRole(viewer.role)}. Clearance: ${formatMarking(viewer.clearance)}.`;
  return (
    <>
      <span className={styles.name} title={about}>
        {viewer.principal.name}
        <VisuallyHidden>. {about}</VisuallyHidden>
        <Faint className={styles.role} aria-hidden>
          {' '}
          · {nameRole(viewer.role)}
        </Faint>
      </span>
      {credential !== null && (
        <Button variant="subtle" size="compact-sm" onClick={signOut}>
          Sign out
        </Button>
      )}
    </>
  );
}
