/** Names the statements of a session that have a tag, for a process that comes after this one. */
export interface StatementHandle {
  readonly sessionId: string;
  readonly tag: string;
}

export function formatHandle({ sessionId, tag }: StatementHandle): string {
  return `${sessionId} ${tag}`;
}

export function parseHandle(handle: string): StatementHandle {
  const [sessionId = ''] = handle.split(' ', 1);
  return { sessionId, tag: handle.slice(sessionId.length + 1) };
}
