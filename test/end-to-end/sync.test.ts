import { expect } from 'vitest';
import { test } from '../support/on-every-database.ts';
import { addSorties, catalogContent, storedItems, uploadedContent } from '../support/tables.ts';

test('a full sync stores every row of its source and uploads it to the catalog', async ({
  application,
  client,
}) => {
  await addSorties(application, 5_000);
  const { id } = await client.startSync({ syncType: 'FULL' });
  expect(await client.waitForEnd(id)).toMatchObject({
    state: 'COMPLETED',
    progress: { totalItems: 5_000, successCount: 5_000, errorCount: 0 },
  });
  const content = await catalogContent(application);
  expect(content.size).toBe(5_000);
  expect(uploadedContent(await storedItems(application))).toEqual(content);
});
