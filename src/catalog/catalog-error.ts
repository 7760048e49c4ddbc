/** A fault of the catalog or of the way to it that people may read: no credential and no file system path in it. */
export class CatalogError extends Error {
  override readonly name = 'CatalogError';
}
