import { isErrorNamed } from '../shared/error-name.ts';

/** A failure of the catalog or of the way to it, with a message that may be shown: no credential, no file system path. */
export class CatalogError extends Error {
  override readonly name = 'CatalogError';
  static override [Symbol.hasInstance] = isErrorNamed('CatalogError');
}
