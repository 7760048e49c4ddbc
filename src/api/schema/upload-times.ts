import { createLoader } from '../../shared/loader.ts';
import type { ApiContext } from '../context.ts';

/** Finds when an upload batch was uploaded; null if it has not been. The items of a list are looked up together. */
export async function findUploadTime(context: ApiContext, batchId: bigint | null): Promise<Date | null> {
  if (batchId === null) return null;
  return (await loadUploadTimes(context, batchId)).get(batchId) ?? null;
}

const loadUploadTimes = createLoader(async ({ prisma }: ApiContext, batchIds: readonly bigint[]) => {
  const batches = await prisma.uploadBatch.findMany({ where: { id: { in: [...new Set(batchIds)] } } });
  return new Map(batches.map(({ id, uploadedAt }) => [id, uploadedAt]));
});
