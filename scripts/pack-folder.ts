import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress } from 'node:zlib';
import { packTar } from 'modern-tar/fs';

/** Packs a folder for `unpackFolder`. */
export async function packFolder(folder: string, archive: string | URL): Promise<void> {
  const compress = createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 19 } });
  await pipeline(packTar(folder), compress, createWriteStream(archive));
}
