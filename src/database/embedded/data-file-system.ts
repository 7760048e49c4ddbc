import { statSync } from 'node:fs';
import { NodeFS } from '@electric-sql/pglite/nodefs';
import { isTransient } from './data-files.ts';
import type { Journal, ManifestChange } from './manifest.ts';
import { createUndoLog } from './undo-log.ts';

/**
 * The file system of PGlite's data folder. It records created and removed files in the manifest, and can undo all changes
 * until the folder is known to be intact, because PostgreSQL writes before it finds damage.
 */
export class DataFileSystem extends NodeFS {
  readonly #undoLog = createUndoLog(MAX_REPLACED_BYTES);
  #journal: Journal | null = null;
  #lastFailure: string | null = null;

  /** The code of the last failure of the disk or of permissions; null if there was none. */
  get lastFailure(): string | null {
    return this.#lastFailure;
  }

  /** Records created and removed files from now on. */
  recordIn(journal: Journal): void {
    this.#journal = journal;
  }

  /** Keeps all changes of the folder; they can no longer be undone. */
  keep(): void {
    this.#undoLog.stop();
  }

  /**
   * Undoes all changes of the folder.
   * @returns false if that is not possible, because too much was written.
   */
  undo(): boolean {
    return this.#undoLog.undo();
  }

  override async init(...parameters: Parameters<NodeFS['init']>): ReturnType<NodeFS['init']> {
    const { emscriptenOpts } = await super.init(...parameters);
    emscriptenOpts.preRun?.push((module) => this.#watch(module.FS.filesystems.NODEFS));
    return { emscriptenOpts };
  }

  /** Replaces the operations of Emscripten, which has no events for changes of files. */
  #watch(engine: NodeFileSystem): void {
    this.#watchFolders(engine);
    this.#watchContent(engine);
    const attempt = engine.tryFSOperation;
    engine.tryFSOperation = (operation) =>
      attempt(() => {
        try {
          return operation();
        } catch (error) {
          const code = error instanceof Error && 'code' in error ? String(error.code) : '';
          if (FAILURES.has(code)) this.#lastFailure = code;
          throw error;
        }
      });
  }

  #watchFolders(engine: NodeFileSystem): void {
    const undoLog = this.#undoLog;
    const operations = engine.node_ops;
    const { mknod, unlink, rmdir, rename } = operations;
    const pathIn = (folder: FileNode, name: string) => `${engine.realPath(folder)}/${name}`;

    operations.mknod = (folder, name, ...options) => {
      const node = mknod(folder, name, ...options);
      const path = pathIn(folder, name);
      undoLog.afterCreate(path);
      this.#recordPresent(path);
      return node;
    };
    const watchRemoval = (remove: typeof unlink) => (folder: FileNode, name: string) => {
      const path = pathIn(folder, name);
      undoLog.beforeRemove(path);
      this.#record('recordLoss', path, { kind: 'gone' });
      remove(folder, name);
    };
    operations.unlink = watchRemoval(unlink);
    operations.rmdir = watchRemoval(rmdir);
    operations.rename = (node, folder, name) => {
      const from = engine.realPath(node);
      const to = pathIn(folder, name);
      undoLog.beforeRemove(to);
      // The replaced file may be larger than its replacement.
      if (findFile(to) !== undefined) this.#record('record', to, { kind: 'file', size: 0 });
      this.#record('recordLoss', from, { kind: 'gone' });
      rename(node, folder, name);
      undoLog.afterRename(from, to);
      this.#recordPresent(to);
    };
  }

  #watchContent(engine: NodeFileSystem): void {
    const undoLog = this.#undoLog;
    const { node_ops: nodes, stream_ops: streams } = engine;
    const { setattr: changeNode } = nodes;
    const { setattr: changeStream, write } = streams;

    nodes.setattr = (node, change) =>
      this.#change(engine.realPath(node), change, () => changeNode(node, change));
    streams.setattr = (stream, change) =>
      this.#change(engine.realPath(stream.node), change, () => changeStream(stream, change));
    streams.write = (stream, buffer, offset, length, position) => {
      if (undoLog.isOpen) undoLog.beforeWrite(engine.realPath(stream.node), position, length);
      const written = write(stream, buffer, offset, length, position);
      // A disk that becomes full writes only a part, and PostgreSQL does not always retry the rest.
      if (written < length) this.#lastFailure = 'ENOSPC';
      return written;
    };
  }

  #change(path: string, { size, mode }: AttributeChange, change: () => void): void {
    if (mode !== undefined) this.#undoLog.beforeChangeMode(path);
    if (size !== undefined) {
      this.#undoLog.beforeResize(path, size);
      if (size < (findFile(path)?.size ?? 0)) this.#record('recordLoss', path, { kind: 'file', size });
    }
    change();
    if (size !== undefined) this.#recordPresent(path);
  }

  #recordPresent(path: string): void {
    const file = findFile(path);
    if (file?.isDirectory()) this.#record('record', path, { kind: 'folder' });
    else if (file !== undefined) this.#record('record', path, { kind: 'file', size: file.size });
  }

  #record(method: 'record' | 'recordLoss', location: string, change: ManifestChange): void {
    const path = location.slice(this.rootDir.length + 1);
    if (!isTransient(path)) this.#journal?.[method](path, change);
  }
}

const MAX_REPLACED_BYTES = 64 * 1024 * 1024;

const FAILURES: ReadonlySet<string> = new Set([
  ...['ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS', 'EACCES', 'EPERM', 'EIO', 'EMFILE', 'ENFILE'],
]);

const findFile = (path: string) => statSync(path, { throwIfNoEntry: false });

/** The watched part of Emscripten's file system for Node.js. */
interface NodeFileSystem {
  readonly realPath: (node: FileNode) => string;
  tryFSOperation: <Result>(operation: () => Result) => Result;
  readonly node_ops: {
    mknod: (folder: FileNode, name: string, mode: number, device: number) => FileNode;
    unlink: (folder: FileNode, name: string) => void;
    rmdir: (folder: FileNode, name: string) => void;
    rename: (node: FileNode, folder: FileNode, name: string) => void;
    setattr: (node: FileNode, change: AttributeChange) => void;
  };
  readonly stream_ops: {
    setattr: (stream: FileStream, change: AttributeChange) => void;
    write: (
      stream: FileStream,
      buffer: Uint8Array,
      offset: number,
      length: number,
      position: number,
    ) => number;
  };
}

interface FileNode {
  readonly name: string;
}

interface FileStream {
  readonly node: FileNode;
}

interface AttributeChange {
  readonly size?: number;
  readonly mode?: number;
}
