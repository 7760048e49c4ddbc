import { readFileSync } from 'node:fs';

/** Counts the processes of this container or service that Linux has killed for want of memory; null if it does not say. */
export function countOomKills(): number | null {
  try {
    const [, group] = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8')) ?? [];
    const events = readFileSync(`/sys/fs/cgroup${group}/memory.events`, 'utf8');
    const [, count] = /^oom_kill (\d+)$/m.exec(events) ?? [];
    return count === undefined ? null : Number(count);
  } catch {
    return null;
  }
}
