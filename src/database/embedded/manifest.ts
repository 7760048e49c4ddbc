import {
  closeSync,
  fdatasyncSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { z } from 'zod';
import { nameSome } from '../../shared/folder-error.ts';
import { checksumFile, type DataFile, hasDatabaseName, isEditable } from './data-files.ts';

// The manifest of a data folder lists the files that must be in it, so that a folder that has lost a part is never taken for a
// whole one. Its first line has their number, and each file has a line of JSON. While the database is open, a line is added for
// each file that is created or removed, so that the manifest is right whenever the process is killed. Of a closed database it
// has the exact sizes and checksums, because PostgreSQL takes a page of zeros for an empty one, and checks no other file than
// those of tables; of an open one, no file is smaller than its last line says.

/** What a data folder must contain. */
export type Manifest =
  | { readonly kind: 'known'; readonly isClosed: boolean; readonly files: ReadonlyMap<string, ManifestEntry> }
  /** An older version without manifests wrote it, or it could not be updated because the disk was full. */
  | { readonly kind: 'unknown' };

export type ManifestEntry = Exclude<z.infer<typeof entrySchema>, { kind: 'gone' }>;

const path = z.string().min(1);
const headSchema = z.object({ isClosed: z.boolean(), count: z.number() });
const entrySchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('folder'), path }),
  z.object({
    kind: z.literal('file'),
    path,
    size: z.number(),
    checksum: z.number().optional(),
    /** When a file with this checksum was last written: one that was not written since need not be read. */
    writtenAt: z.number().optional(),
  }),
  z.object({ kind: z.literal('gone'), path }),
]);

/** @returns null if the text is not a whole manifest. */
export function parseManifest(text: string): Manifest | null {
  if (text === '') return { kind: 'unknown' };
  // The last line is incomplete if the process was killed while writing it.
  const [head = '', ...lines] = text.split('\n').slice(0, -1);
  try {
    const { isClosed, count } = headSchema.parse(JSON.parse(head));
    if (lines.length < count) return null;
    const files = new Map<string, ManifestEntry>();
    for (const line of lines) {
      const entry = entrySchema.parse(JSON.parse(line));
      if (entry.kind === 'gone') files.delete(entry.path);
      else files.set(entry.path, entry);
    }
    return { kind: 'known', isClosed, files };
  } catch {
    return null;
  }
}

/** Replaces the manifest of a data folder atomically. */
export function writeManifest(manifestPath: string, manifest: string | Buffer): void {
  const temporaryPath = `${manifestPath}.tmp`;
  try {
    writeFileSync(temporaryPath, manifest, { flush: true });
    renameSync(temporaryPath, manifestPath);
  } catch (error) {
    rmSync(temporaryPath, { force: true });
    throw error;
  }
}

/**
 * Formats the manifest of a database that is about to be opened, or that was just closed.
 * @param state.before the manifest of its last close, whose checksums are kept for files that were not written since.
 */
export function formatManifest(
  files: readonly DataFile[],
  state:
    | { readonly isClosed: false }
    | { readonly isClosed: true; readonly dataFolder: string; readonly before: Manifest | null },
): string {
  const entries = files.flatMap<ManifestEntry>((file) => {
    if (file.kind === 'other') return [];
    if (file.kind === 'folder' || !state.isClosed) return [file];
    return [
      { ...file, checksum: findChecksum(state.before, file) ?? checksumFile(state.dataFolder, file.path) },
    ];
  });
  return `${JSON.stringify({ isClosed: state.isClosed, count: entries.length })}\n${entries.map(formatEntry).join('')}`;
}

function findChecksum(
  manifest: Manifest | null,
  file: DataFile & { readonly kind: 'file' },
): number | undefined {
  if (manifest?.kind !== 'known' || !manifest.isClosed) return undefined;
  const entry = manifest.files.get(file.path);
  const isSame = entry?.kind === 'file' && entry.size === file.size && entry.writtenAt === file.writtenAt;
  return isSame ? entry.checksum : undefined;
}

const formatEntry = (entry: z.infer<typeof entrySchema>) => `${JSON.stringify(entry)}\n`;

/** Keeps the manifest of an open database up to date. */
export interface Journal {
  /** Records a change of a file. */
  record(path: string, change: ManifestChange): void;
  /** Records that a file is about to shrink or be removed. The record is on the disk before that happens. */
  recordLoss(path: string, change: ManifestChange): void;
  close(): void;
}

/** A change of a file. */
export type ManifestChange =
  | { readonly kind: 'folder' | 'gone' }
  | { readonly kind: 'file'; readonly size: number };

export function openJournal(manifestPath: string): Journal {
  const file = openSync(manifestPath, 'a');
  let isKept = true;

  function append(path: string, change: ManifestChange, isLoss: boolean): void {
    if (!isKept) return;
    try {
      const line = Buffer.from(formatEntry({ path, ...change }));
      if (writeSync(file, line) < line.length) throw new Error('cut off');
      if (isLoss) fdatasyncSync(file);
    } catch {
      // With a wrong manifest, an intact folder would be refused. Emptying it needs no space on a full disk.
      isKept = false;
      ftruncateSync(file);
    }
  }

  return {
    record: (path, change) => append(path, change, false),
    recordLoss: (path, change) => append(path, change, true),
    close: () => closeSync(file),
  };
}

/** Describes how a data folder differs from its manifest; null if it does not. */
export function compareWithManifest(
  manifest: Manifest & { readonly kind: 'known' },
  dataFolder: string,
  files: readonly DataFile[],
): string | null {
  const present = new Map(files.map((file) => [file.path, file]));
  const expected = [...manifest.files.values()];
  const missing = expected.filter(({ path }) => !present.has(path)).map(({ path }) => path);
  const changed = expected.flatMap((entry) => {
    const file = present.get(entry.path);
    return file === undefined ? [] : (describeChange(entry, file, manifest.isClosed, dataFolder) ?? []);
  });
  const foreign = manifest.isClosed
    ? files.flatMap(({ path }) => (!manifest.files.has(path) && hasDatabaseName(path) ? [path] : []))
    : [];
  const problems = [
    ...(missing.length > 0
      ? [`${missing.length} of ${expected.length} files are missing: ${nameSome(missing)}`]
      : []),
    ...(changed.length > 0 ? [nameSome(changed)] : []),
    ...(foreign.length > 0 ? [`files of another database are among its own: ${nameSome(foreign)}`] : []),
  ];
  return problems.length > 0 ? problems.join('; ') : null;
}

function describeChange(
  entry: ManifestEntry,
  file: DataFile,
  isClosed: boolean,
  dataFolder: string,
): string | null {
  if (entry.kind !== file.kind) return `${file.path} is not a ${entry.kind}`;
  if (entry.kind === 'folder' || file.kind !== 'file' || isEditable(file.path)) return null;
  if (isClosed ? file.size !== entry.size : file.size < entry.size) {
    return `${file.path} has ${file.size} bytes instead of ${entry.size}`;
  }
  const isWritten = entry.writtenAt === undefined || entry.writtenAt !== file.writtenAt;
  if (
    isClosed &&
    isWritten &&
    entry.checksum !== undefined &&
    checksumFile(dataFolder, file.path) !== entry.checksum
  ) {
    return `the content of ${file.path} has changed`;
  }
  return null;
}
