import { execFileSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { unpackTar } from 'modern-tar/fs';

/**
 * Fetches a package of npm, without its dependencies, for the few who need it: as a dependency, everybody would install it.
 * @returns the folder of its files, which is kept.
 */
export async function fetchPackage(name: string, version: string): Promise<string> {
  const folder = join(import.meta.dirname, '../node_modules/.cache', name, version);
  const content = join(folder, 'package');
  if (await isThere(content)) return content;
  await mkdir(dirname(folder), { recursive: true });
  const temporary = await mkdtemp(`${folder}-`);
  try {
    const [packed] = JSON.parse(
      execFileSync('npm', ['pack', '--json', `${name}@${version}`, '--pack-destination', temporary], {
        encoding: 'utf8',
      }),
    );
    const archive = join(temporary, packed.filename);
    await pipeline(createReadStream(archive), createGunzip(), unpackTar(join(temporary, 'content')));
    await rm(folder, { recursive: true, force: true });
    await rename(join(temporary, 'content'), folder);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return content;
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
