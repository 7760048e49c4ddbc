import { execFileSync } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the checkout. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/** The environment of this process, with its Node.js first, whatever the machine has. */
export const environment = {
  ...process.env,
  PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}`,
};

/** A packed package. */
export interface Tarball {
  readonly path: string;
  readonly entryCount: number;
  /** In bytes. */
  readonly size: number;
}

/** Packs what is built into a folder. */
export function packCheckout(folder: string): Tarball {
  const printed = run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], root);
  const [{ filename, entryCount, size }] = JSON.parse(printed) as [
    { filename: string; entryCount: number; size: number },
  ];
  return { path: join(folder, filename), entryCount, size };
}

/** Installs a packed package into a folder with a package.json, with its scripts, as users do. */
export function installPackage(folder: string, tarball: string, options: readonly string[] = []): void {
  run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', ...options, tarball], folder);
}

/** Runs a command in a folder. @returns what it has printed. @throws if it fails. */
export function run(command: string, args: readonly string[], cwd: string): string {
  return execFileSync(command, args, {
    cwd,
    encoding: 'utf8',
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
    shell: process.platform === 'win32',
  });
}
