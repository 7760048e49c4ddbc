import { cp, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** A folder in which plug-ins find this package as they find an installed one. */
export interface PluginFolder {
  readonly path: string;
  /** Writes a module. @returns its path. */
  write(name: string, source: string): Promise<string>;
  close(): Promise<void>;
}

const root = new URL('../../', import.meta.url);

/** Creates a folder with the package, from its sources, and the examples of docs/extending.md. */
export async function createPluginFolder(): Promise<PluginFolder> {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'blade-plugin-test-')));
  const installed = join(path, 'node_modules', 'blade-ingestion');
  await mkdir(installed, { recursive: true });
  const exports = { '.': './index.js', './testing': './testing.js' };
  await writeFile(
    join(installed, 'package.json'),
    JSON.stringify({ name: 'blade-ingestion', type: 'module', exports }),
  );
  for (const name of ['index', 'testing']) {
    await writeFile(
      join(installed, `${name}.js`),
      `export * from '${new URL(`src/${name}.ts`, root).href}';\n`,
    );
  }
  await symlink(fileURLToPath(new URL('node_modules/zod', root)), join(path, 'node_modules', 'zod'));
  for (const name of ['blade-fuel', 'program.ts'])
    await cp(new URL(`docs/examples/${name}`, root), join(path, name), { recursive: true });
  return {
    path,
    async write(name, source) {
      await writeFile(join(path, name), source);
      return join(path, name);
    },
    close: () => rm(path, { recursive: true, force: true }),
  };
}

/** The rows that the array warehouse of the example reads. */
export const FUEL_ROWS = [
  { ticket_number: 'F-17', fuel_type: 'JP-8', gallons: 820.5, base_location: 'ATL', pump: 4 },
  { ticket_number: 'F-18', fuel_type: 'JP-8', gallons: 'plenty', base_location: 'ATL', pump: 4 },
  { ticket_number: 'F-19', fuel_type: 'JP-5', gallons: 12, base_location: 'DEN', pump: 1 },
];

/** A path as the URL of its file. */
export function toUrl(path: string): string {
  return pathToFileURL(path).href;
}
