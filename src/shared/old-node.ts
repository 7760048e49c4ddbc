/** The oldest Node.js that runs the program. */
const LEAST_NODE = 24;

/**
 * What to tell people who start a command of the package in a Node.js that is too old for it; null where it is not. This
 * module must load there, too.
 */
export function checkNodeVersion(command: string): string | null {
  if (Number(process.versions.node.split('.')[0]) >= LEAST_NODE) return null;
  return `${command} needs Node.js ${LEAST_NODE} or newer, and this is ${process.version}: install it from https://nodejs.org, or run it by npx --package node@${LEAST_NODE} --package blade-ingestion ${command}`;
}
