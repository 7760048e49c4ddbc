/** Reads the UUID out of a node's id; addresses are easier to read with the UUID alone. */
export function readUuid(id: string): string {
  return id.slice(id.indexOf(':') + 1);
}

/** Shortens an id to its end, which tells jobs apart; its beginning is the time. */
export function shortenId(id: string): string {
  return `#${id.slice(-6)}`;
}
