import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { createGunzip, createGzip } from 'node:zlib';
import { createTarDecoder, createTarPacker } from 'modern-tar';
import { z } from 'zod';
import { isFileError } from './file-error.ts';

// An archive is a compressed tar. Its first entry describes it, and its last lists all others with their checksums, so that an
// archive that was cut off or altered is noticed, and so is one that is something else.

/** A file or folder to put into an archive. Its path has forward slashes. */
export type ArchiveEntry =
  | { readonly kind: 'folder'; readonly path: string; readonly mode: number }
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly mode: number;
      readonly size: number;
      /** The content, or where it is; that must not change while the archive is written. */
      readonly content: Buffer | { readonly location: string };
    };

/** What an archive is. */
export type ArchiveDescription = z.infer<typeof descriptionSchema>;

/** Receives what is in an archive, in the order of its entries. */
export interface ArchiveVisitor {
  /** Called first. */
  describe?(description: ArchiveDescription): void;
  folder?(path: string, mode: number): Promise<void>;
  /** Must read the content to its end. */
  file?(path: string, mode: number, content: Readable): Promise<void>;
}

/** A file is no archive, or not a whole one. */
export class ArchiveError extends Error {
  override readonly name = 'ArchiveError';
}

/** Writes an archive. The stream fails with the error of an entry that cannot be read. */
export function writeArchive(
  description: ArchiveDescription,
  entries: Iterable<ArchiveEntry> | AsyncIterable<ArchiveEntry>,
): Readable {
  const { readable, controller } = createTarPacker();
  const listed: ListedEntry[] = [];

  async function add(entry: ArchiveEntry): Promise<void> {
    const { kind, path, mode } = entry;
    if (kind === 'folder') {
      await controller.add({ name: `${path}/`, type: 'directory', size: 0, mode }).close();
      listed.push({ kind, path, mode });
      return;
    }
    const { size, content } = entry;
    const writer = controller.add({ name: path, size, mode }).getWriter();
    const hash = createHash('sha256');
    for await (const chunk of Buffer.isBuffer(content) ? [content] : readPart(content.location, size)) {
      hash.update(chunk);
      await writer.write(chunk);
    }
    await writer.close();
    listed.push({ kind, path, mode, size, checksum: hash.digest('hex') });
  }

  const addContent = (path: string, value: unknown) => {
    const content = Buffer.from(JSON.stringify(value));
    return add({ kind: 'file', path, mode: 0o600, size: content.length, content });
  };

  async function addAll(): Promise<void> {
    await addContent(DESCRIPTION_FILE, description);
    for await (const entry of entries) await add(entry);
    await addContent(CHECKSUMS_FILE, listed);
    controller.finalize();
  }

  addAll().catch((error: unknown) => controller.error(error));
  return pipeline(Readable.from(readable, { objectMode: false }), createGzip({ level: 1 }), () => {});
}

/**
 * Reads an archive to its end.
 * @throws ArchiveError if it is none, or was cut off or altered; only then is it known that what was read is not whole.
 */
export async function readArchive(
  input: Readable,
  visitor: ArchiveVisitor = {},
): Promise<ArchiveDescription> {
  const unpacked = pipeline(input, createGunzip(), () => {});
  try {
    return await readEntries(unpacked, visitor);
  } catch (error) {
    if (error instanceof ArchiveError || isFileError(error)) throw error;
    throw new ArchiveError('it is damaged, or was cut off', { cause: error });
  } finally {
    input.destroy();
    unpacked.destroy();
  }
}

async function readEntries(unpacked: Readable, visitor: ArchiveVisitor): Promise<ArchiveDescription> {
  const { writable, readable: entries } = createTarDecoder({ strict: true });
  void pump(unpacked, writable);
  const found: ListedEntry[] = [];
  let description: ArchiveDescription | undefined;
  let listed: readonly ListedEntry[] | undefined;
  for await (const { header, body } of entries) {
    const { type = 'file', mode = 0 } = header;
    const path = header.name.replace(/\/$/, '');
    if (listed !== undefined || !isSafePath(path) || (type !== 'file' && type !== 'directory')) {
      throw new ArchiveError('it holds something that no backup holds');
    }
    const hash = createHash('sha256');
    let size = 0;
    const content = Readable.from(
      (async function* () {
        for await (const chunk of body) {
          hash.update(chunk);
          size += chunk.length;
          yield chunk;
        }
      })(),
    );
    if (description === undefined) {
      description = parseContent(descriptionSchema, path === DESCRIPTION_FILE ? await readText(content) : '');
      visitor.describe?.(description);
    } else if (path === CHECKSUMS_FILE) {
      listed = parseContent(z.array(listedEntrySchema), await readText(content));
      continue;
    } else if (type === 'directory') {
      await body.cancel();
      await visitor.folder?.(path, mode);
      found.push({ kind: 'folder', path, mode });
      continue;
    } else if (visitor.file !== undefined) {
      await visitor.file(path, mode, content);
    } else {
      for await (const _chunk of content);
    }
    found.push({ kind: 'file', path, mode, size, checksum: hash.digest('hex') });
  }
  if (description === undefined) throw new ArchiveError('it is no backup');
  if (listed === undefined) throw new ArchiveError('it was cut off');
  if (JSON.stringify(listed) !== JSON.stringify(found)) throw new ArchiveError('it was altered');
  return description;
}

async function pump(source: Readable, target: WritableStream<Uint8Array>): Promise<void> {
  const writer = target.getWriter();
  try {
    for await (const chunk of source) await writer.write(chunk);
    await writer.close();
  } catch (error) {
    // The reader of the entries gets it.
    await writer.abort(error).catch(() => {});
  }
}

const DESCRIPTION_FILE = 'backup.json';
const CHECKSUMS_FILE = 'checksums.json';

const descriptionSchema = z.object({
  kind: z.literal('blade-ingestion backup'),
  format: z.literal(1),
  /** Of the program that wrote it. */
  version: z.string(),
  createdAt: z.iso.datetime(),
  /** The major version of the embedded PostgreSQL. */
  postgresql: z.string(),
  /** Whether it holds a catalog besides the database. */
  hasCatalog: z.boolean(),
});

const path = z.string();
const mode = z.number();
const listedEntrySchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('folder'), path, mode }),
  z.object({ kind: z.literal('file'), path, mode, size: z.number(), checksum: z.string() }),
]);

type ListedEntry = z.infer<typeof listedEntrySchema>;

function parseContent<Schema extends z.ZodType>(schema: Schema, text: string): z.infer<Schema> {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new ArchiveError('it is no backup that this version of the program can read', { cause: error });
  }
}

/** Whether a path stays within the folder that it is put into. */
function isSafePath(name: string): boolean {
  return (
    !name.includes('\\') && name.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  );
}

async function readText(content: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of content) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

/** Reads as many bytes of a file as it had when it was listed: more may have been added. */
async function* readPart(location: string, size: number): AsyncGenerator<Buffer> {
  if (size > 0) yield* createReadStream(location, { end: size - 1, highWaterMark: 262_144 });
}
