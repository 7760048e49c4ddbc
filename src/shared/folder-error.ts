/**
 * A data folder cannot be used. The message says what was found and what would work, for the person who starts the program.
 */
export class FolderError extends Error {
  override readonly name: string = 'FolderError';
}

/** A folder cannot be used because its disk, or a quota, is full. */
export class FullDiskError extends FolderError {
  override readonly name = 'FullDiskError';
}

/** A folder is neither empty nor intact. It may be the only copy of somebody's data, so nothing is written into it. */
export class DamagedFolderError extends FolderError {
  override readonly name = 'DamagedFolderError';

  /**
   * @param remedies how to restore the folder, and how to start over on purpose; each a sentence.
   * @param isUnchanged false if something was written before the damage was found.
   */
  constructor(
    folder: string,
    found: string,
    remedies: { readonly restore: string; readonly startOver: string },
    isUnchanged = true,
  ) {
    super(
      [
        `The folder ${folder} cannot be used${isUnchanged ? ', and nothing in it was changed' : ''}.`,
        `Found: ${found}.`,
        `To restore it: ${remedies.restore}`,
        `To start over: ${remedies.startOver}`,
      ].join(' '),
    );
  }
}

/** Lists the first few names, and the number of the others. */
export function nameSome(names: readonly string[]): string {
  const listed = names.slice(0, MAX_NAMES).join(', ');
  return names.length > MAX_NAMES ? `${listed} and ${names.length - MAX_NAMES} more` : listed;
}

const MAX_NAMES = 4;

/** Removes names of files that operating systems and tools create on their own. */
export function removeClutter(names: readonly string[]): string[] {
  return names.filter((name) => !CLUTTER.has(name) && !CLUTTER_PATTERN.test(name));
}

const CLUTTER: ReadonlySet<string> = new Set([
  ...['lost+found', 'aquota.user', 'aquota.group', '.snapshot', '.directory'],
  ...['.DS_Store', '.localized', '.fseventsd', '.Spotlight-V100', '.Trashes', '.TemporaryItems'],
  ...['Thumbs.db', 'desktop.ini', 'System Volume Information', '$RECYCLE.BIN'],
  ...['@eaDir', '#recycle', '.gitignore', '.gitkeep'],
]);

/** Resource forks of macOS, open files removed over NFS, and the trash of a user on Linux. */
const CLUTTER_PATTERN = /^(\._.*|\.nfs[0-9a-f]{16,}|\.Trash(-\d+)?)$/;
