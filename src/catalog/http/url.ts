import { CatalogError } from '../catalog-error.ts';

/**
 * Parses the address of a catalog service: its origin, and its path without a trailing slash.
 * @throws CatalogError saying what is wrong with the URL without showing it, as it may hold a password.
 */
export function parseCatalogUrl(url: string): { readonly origin: string; readonly path: string } {
  const parsed = URL.parse(url);
  if (parsed === null || (parsed.protocol !== 'http:' && parsed.protocol !== 'https:')) {
    throw new CatalogError('The URL of the catalog must be an http or https URL.');
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw new CatalogError(
      'The URL of the catalog must have no user name and no password; a token can be set.',
    );
  }
  if (parsed.search !== '' || parsed.hash !== '') {
    throw new CatalogError('The URL of the catalog must end with its path, without "?" and "#".');
  }
  return { origin: parsed.origin, path: parsed.pathname.replace(/\/+$/, '') };
}
