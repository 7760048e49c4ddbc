import {
  chmodSync,
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmdirSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { isFileError } from '../../shared/file-error.ts';

/** Remembers the content that changes of files replace, so that all changes can be undone. */
export interface UndoLog {
  /** Whether it still records changes. */
  readonly isOpen: boolean;
  /** Call before bytes are written. */
  beforeWrite(path: string, position: number, length: number): void;
  /** Call before the size of a file changes. */
  beforeResize(path: string, size: number): void;
  /** Call before the permissions of a file change. */
  beforeChangeMode(path: string): void;
  /** Call before a file or an empty folder is removed, or replaced by a renamed one. */
  beforeRemove(path: string): void;
  afterCreate(path: string): void;
  afterRename(from: string, to: string): void;
  /** Forgets everything and records nothing more. */
  stop(): void;
  /**
   * Undoes all changes, the last one first.
   * @returns false if that is not possible: the log was stopped or became too large, or the disk fails.
   */
  undo(): boolean;
}

/** @param maxBytes the most bytes of replaced content to remember. */
export function createUndoLog(maxBytes: number): UndoLog {
  let steps: (() => void)[] | null = [];
  let bytesLeft = maxBytes;

  function remember(step: () => void, bytes = 0): void {
    bytesLeft -= bytes;
    if (bytesLeft < 0) steps = null;
    steps?.push(step);
  }

  function rememberContent(path: string, position: number, length: number): void {
    const size = find(path)?.size;
    // The file was removed but is still open: its content was remembered when it was removed.
    if (size === undefined) return;
    const replaced = Math.max(0, Math.min(length, size - position));
    const content = replaced > bytesLeft ? Buffer.alloc(0) : readPart(path, position, replaced);
    remember(() => {
      writePart(path, position, content);
      truncateSync(path, size);
    }, replaced);
  }

  return {
    get isOpen() {
      return steps !== null;
    },
    beforeWrite(path, position, length) {
      if (steps !== null) rememberContent(path, position, length);
    },
    beforeResize(path, size) {
      if (steps !== null) rememberContent(path, size, Number.POSITIVE_INFINITY);
    },
    beforeChangeMode(path) {
      const mode = steps === null ? undefined : find(path)?.mode;
      if (mode !== undefined) remember(() => chmodSync(path, mode));
    },
    beforeRemove(path) {
      const file = steps === null ? undefined : find(path);
      if (file === undefined) return;
      if (file.isDirectory()) {
        remember(() => mkdirSync(path, file.mode));
        return;
      }
      const content = file.size > bytesLeft ? Buffer.alloc(0) : readPart(path, 0, file.size);
      remember(() => {
        writeFileSync(path, content);
        chmodSync(path, file.mode);
      }, file.size);
    },
    afterCreate: (path) => remember(() => (find(path)?.isDirectory() ? rmdirSync(path) : unlinkSync(path))),
    afterRename: (from, to) => remember(() => renameSync(to, from)),
    stop() {
      steps = null;
    },
    undo() {
      if (steps === null) return false;
      try {
        for (const step of steps.splice(0).reverse()) step();
        return true;
      } catch (error) {
        if (isFileError(error)) return false;
        throw error;
      }
    },
  };
}

const find = (path: string) => lstatSync(path, { throwIfNoEntry: false });

function readPart(path: string, position: number, length: number): Buffer {
  const content = Buffer.alloc(length);
  const file = openSync(path, 'r');
  try {
    readSync(file, content, 0, length, position);
  } finally {
    closeSync(file);
  }
  return content;
}

function writePart(path: string, position: number, content: Buffer): void {
  const file = openSync(path, 'r+');
  try {
    writeSync(file, content, 0, content.length, position);
  } finally {
    closeSync(file);
  }
}
