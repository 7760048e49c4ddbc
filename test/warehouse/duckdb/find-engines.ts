import { execFileSync } from 'node:child_process';

/** An engine's process. */
export interface EngineProcess {
  readonly pid: number;
  /** Its memory, in megabytes. */
  readonly megabytes: number;
}

/** The engines that a process has started and that still run. */
export function findEngines(parent = process.pid): EngineProcess[] {
  const listed = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,rss=,args='], { encoding: 'utf8' });
  return listed.split('\n').flatMap((line) => {
    const [, pid, ppid, kilobytes, args = ''] = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    if (Number(ppid) !== parent || !args.includes('engine-process')) return [];
    return [{ pid: Number(pid), megabytes: Number(kilobytes) / 1_000 }];
  });
}
