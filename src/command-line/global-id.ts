const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Whether a text is a whole id of a type, with or without the name of the type before it. */
export function isGlobalId(type: 'Job' | 'DataSource', text: string): boolean {
  const prefix = `${type}:`.toLowerCase();
  return UUID.test(text.toLowerCase().startsWith(prefix) ? text.slice(prefix.length) : text);
}
