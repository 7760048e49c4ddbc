/** Reads what follows the type in an id: a UUID, which reads better in an address, or who a principal is. */
export function readKey(id: string): string {
  return id.slice(id.indexOf(':') + 1);
}

/** Shortens an id to its end, which tells jobs apart; its beginning is the time. */
export function shortenId(id: string): string {
  return `#${id.slice(-6)}`;
}
