import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import type { FoundTable } from './table-files.ts';

/** Creates the version of files, as this machine sees them. */
export function createFilesVersion(files: readonly FoundTable[]): string {
  const whole = files.map(({ label, version }) => [label, version]);
  const portable = files.map(({ label, portableVersion }) => [label, portableVersion]);
  return [hostname(), hash(whole), hash(portable)].join(' ');
}

/** Whether versions are of the same files. Of copies on two machines, only the sizes and the times of the last write agree. */
export function areSameFiles(one: string, other: string): boolean {
  const [machine, , portable] = one.split(' ');
  const [otherMachine, , otherPortable] = other.split(' ');
  return one === other || (machine !== otherMachine && portable === otherPortable);
}

function hash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url');
}
