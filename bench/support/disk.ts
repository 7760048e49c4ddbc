import { execFileSync } from 'node:child_process';

/** Measures the blocks that files and folders take on the disk, in megabytes of 2^20 bytes, as `du -sm` counts them. */
export function measureDiskMegabytes(...paths: readonly string[]): number {
  const lines = execFileSync('du', ['-sk', ...paths], { encoding: 'utf8' })
    .trim()
    .split('\n');
  return lines.reduce((sum, line) => sum + Number.parseInt(line, 10), 0) / 1024;
}
