const KEY = 'blade-credential';

/** The token or API key that requests are sent with; kept for this tab until it is closed or signed out of. */
export interface Session {
  readonly credential: string | null;
  /** Whether the server has refused a request for want of a credential that it knows. */
  readonly isRefused: boolean;
}

let session: Session = { credential: sessionStorage.getItem(KEY), isRefused: false };
const listeners = new Set<() => void>();

export function currentSession(): Session {
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

/** The server has answered that it does not know who this is. */
export function refuseSession(): void {
  if (!session.isRefused) change({ ...session, isRefused: true });
}

function change(next: Session): void {
  session = next;
  for (const listener of listeners) listener();
}
