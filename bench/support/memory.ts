import { readdirSync, readFileSync } from 'node:fs';

/** Reads the resident memory of a process and of the processes that it started, in megabytes of 2^20 bytes. Linux only. */
export function readResidentMegabytes(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const own = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
    const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    );
    return children.reduce((sum, child) => sum + readResidentMegabytes(child), own);
  } catch {
    // It has ended meanwhile.
    return 0;
  }
}
