import { describe, test } from 'vitest';
import { openHttpCatalog } from '../../src/catalog/http/catalog.ts';
import { httpCatalogDefaults } from '../../src/catalog/http/options.ts';
import type { Marking } from '../../src/data-types/marking.ts';
import { catalogTests } from '../../src/testing/catalog-tests.ts';
import { startCatalogServer } from '../support/catalog-server.ts';
import { openTestedFolder } from '../support/folder-catalog.ts';

describe('a folder keeps what every catalog promises', () => {
  const tests = catalogTests(openTestedFolder);
  for (const { name, run } of tests) test(name, run);
});

describe('a service keeps what every catalog promises', () => {
  const tests = catalogTests(async () => {
    const server = await startCatalogServer();
    const openAgain = () => openHttpCatalog({ ...httpCatalogDefaults, url: server.url, token: null });
    return {
      catalog: await openAgain(),
      openAgain,
      listItems: async () =>
        [...server.items.values()].map(({ dataSource, itemId, classificationMarking, data, metadata }) => ({
          dataType: dataSource.replace('BLADE:', ''),
          itemId,
          classificationMarking: classificationMarking as Marking,
          data: JSON.parse(data),
          metadata: JSON.parse(metadata),
        })),
      close: () => server.close(),
    };
  });
  for (const { name, run } of tests) test(name, run);
});
