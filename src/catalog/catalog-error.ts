/** A failure of the catalog or of the way to it, with a message that may be shown: no credential, no file system path. */
export class CatalogError extends Error {
  override readonly name = 'CatalogError';
}
