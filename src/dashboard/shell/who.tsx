import { useSyncExternalStore } from 'react';
import { currentSession, onSessionChange, signOut } from '../api/session.ts';
import { roleText, useViewer } from './viewer.tsx';

/** Who uses the page, and the way out where one had to sign in. */
export function Who() {
  const viewer = useViewer();
  const { credential } = useSyncExternalStore(onSessionChange, currentSession);
  if (viewer === undefined) return null;
  const about = `Role ${roleText(viewer.role)}, sees up to ${viewer.clearance}`;
  return (
    <>
      <span className="who" title={about}>
        {viewer.name}
        <span className="sr-only">. {about}</span>
        <span className="faint" aria-hidden>
          {' '}
          · {roleText(viewer.role)}
        </span>
      </span>
      {credential !== null && (
        <button type="button" className="text-button" onClick={signOut}>
          Sign out
        </button>
      )}
    </>
  );
}
