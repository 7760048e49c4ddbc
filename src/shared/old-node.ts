/** The oldest Node.js that runs the program. */
const MIN_NODE = 24;

/**
 * Checks that Node.js is new enough for a command of the package. This module must load even in an old one.
 * @returns what to do about it; null if it is new enough.
 */
export function checkNodeVersion(command: string): string | null {
  if (Number(process.versions.node.split('.')[0]) >= MIN_NODE) return null;
  return `${command} needs Node.js ${MIN_NODE} or newer; this is ${process.version}. Install one from https://nodejs.org, or run npx --package node@${MIN_NODE} --package blade-ingestion ${command}`;
}
