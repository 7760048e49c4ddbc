import { execFileSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { unpackTar } from 'modern-tar/fs';

/**
 * Puts the files of GraphQL Playground where its test finds them. As a dependency the package would bring 460 others, of
 * which its built files need none.
 */
const NAME = 'graphql-playground-react';
const VERSION = '1.7.28';
const folder = join(import.meta.dirname, '../node_modules/.cache', NAME, VERSION);

await mkdir(dirname(folder), { recursive: true });
const temporary = await mkdtemp(`${folder}-`);
try {
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', '--json', `${NAME}@${VERSION}`, '--pack-destination', temporary], {
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
