import { z } from 'zod';
import { defineSettings, secret, wholeNumber } from '../../shared/settings.ts';
import { type HttpCatalogOptions, httpCatalogDefaults } from './options.ts';
import { parseCatalogUrl } from './url.ts';

/** A catalog service; null if none is set. */
export const httpCatalogSettings = defineSettings({
  variables: {
    CATALOG_URL: z
      .string()
      .refine(isCatalogUrl, {
        error: 'must be a URL such as https://catalog.example.com, without user, password, query or fragment',
      })
      .optional()
      .describe('Catalog service. The folder catalog is used if this is not set.'),
    CATALOG_TOKEN: secret(
      z
        .string()
        .regex(/^[\x21-\x7e]+$/, { error: 'must be visible ASCII characters without spaces' })
        .optional()
        .describe('Bearer token of the catalog service.'),
    ),
    CATALOG_CONCURRENCY: wholeNumber(1, 1_000)
      .default(httpCatalogDefaults.concurrency)
      .describe('Uploads to the catalog service at once, from this node.'),
    CATALOG_REQUESTS_PER_SECOND: z.coerce
      .number({ error: 'must be a number greater than 0' })
      .positive({ error: 'must be a number greater than 0' })
      .optional()
      .describe(
        'Most requests to the catalog service in a second, from this node; no limit if this is not set.',
      ),
    CATALOG_TIMEOUT_MS: wholeNumber(100, 600_000)
      .default(httpCatalogDefaults.timeoutMs)
      .describe('How long one upload may take, in milliseconds.'),
    CATALOG_ATTEMPTS: wholeNumber(1, 20)
      .default(httpCatalogDefaults.attempts)
      .describe('How often an item is sent before it becomes an error, while the catalog accepts others.'),
    CATALOG_MAX_OUTAGE_MS: wholeNumber(0, 3_600_000)
      .default(httpCatalogDefaults.maxOutageMs)
      .describe('How long uploads wait for a catalog that is down, in milliseconds.'),
  },
  toSettings(values): HttpCatalogOptions | null {
    const { CATALOG_URL: url } = values;
    if (url === undefined) return null;
    return {
      ...httpCatalogDefaults,
      url,
      token: values.CATALOG_TOKEN ?? null,
      concurrency: values.CATALOG_CONCURRENCY,
      requestsPerSecond: values.CATALOG_REQUESTS_PER_SECOND ?? null,
      timeoutMs: values.CATALOG_TIMEOUT_MS,
      attempts: values.CATALOG_ATTEMPTS,
      maxOutageMs: values.CATALOG_MAX_OUTAGE_MS,
    };
  },
});

function isCatalogUrl(text: string): boolean {
  try {
    parseCatalogUrl(text);
    return true;
  } catch {
    return false;
  }
}
