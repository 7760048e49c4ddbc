import { spawnSync } from 'node:child_process';
import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A disk in memory that can be filled. */
export interface SmallDisk {
  readonly folder: string;
  /** Fills it, but for some bytes. */
  fill(leftBytes: number): void;
  /** Frees what `fill` has taken. */
  free(): void;
  remove(): Promise<void>;
}

/** Mounts a disk; null where this user may not, as in a container without privileges. */
export async function mountSmallDisk(megabytes: number): Promise<SmallDisk | null> {
  const root = await mkdtemp(join(tmpdir(), 'blade-disk-'));
  const disk = join(root, 'disk');
  await mkdir(disk);
  const options = `size=${megabytes}m,mode=0777`;
  if (!runAsRoot('mount', '-t', 'tmpfs', '-o', options, 'blade-test', disk)) {
    await rm(root, { recursive: true });
    return null;
  }
  const ballast = join(disk, 'ballast');
  return {
    folder: disk,
    fill(leftBytes) {
      const file = openSync(ballast, 'w');
      const chunk = Buffer.alloc(65_536);
      try {
        while (countFree(disk) > leftBytes) writeSync(file, chunk);
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(ballast),
    async remove() {
      runAsRoot('umount', '--lazy', disk);
      await rm(root, { recursive: true, force: true });
    },
  };
}

function countFree(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

function runAsRoot(...command: readonly [string, ...string[]]): boolean {
  const [program, ...args] = process.getuid?.() === 0 ? command : ['sudo', '-n', ...command];
  return spawnSync(program ?? '', args).status === 0;
}
