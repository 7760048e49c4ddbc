/** A backup or a restore is not possible. The message, in lower case, says why and what would work. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
}
