const KEY = 'blade-credential';

/** The credential of this tab, kept until the tab closes or the user signs out. */
export interface Session {
  /** A token or an API key; null for none. */
  readonly credential: string | null;
  /** Whether the user must sign in. */
  readonly isRefused: boolean;
}

let session: Session = { credential: sessionStorage.getItem(KEY), isRefused: false };
const listeners = new Set<() => void>();

export function readSession(): Session {
  return session;
}

export function onSessionChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function signIn(credential: string): void {
  sessionStorage.setItem(KEY, credential);
  change({ credential, isRefused: false });
}

export function signOut(): void {
  sessionStorage.removeItem(KEY);
  change({ credential: null, isRefused: true });
}

/** Asks the user to sign in, because the server did not accept the credential. */
export function refuseSession(): void {
  if (!session.isRefused) change({ ...session, isRefused: true });
}

function change(next: Session): void {
  session = next;
  for (const listener of listeners) listener();
}
