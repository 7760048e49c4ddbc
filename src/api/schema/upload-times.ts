import type { ApiContext } from '../context.ts';

/**
 * When an upload batch was uploaded; null while it has not been. What the items of an answer ask for at once is read by
 * one statement.
 */
export async function uploadTimeOf(context: ApiContext, batchId: bigint | null): Promise<Date | null> {
  if (batchId === null) return null;
  let asked = questions.get(context);
  if (asked === undefined) {
    const ids = new Set<bigint>();
    asked = { ids, times: readOnceAsked(context, ids) };
    questions.set(context, asked);
  }
  asked.ids.add(batchId);
  return (await asked.times).get(batchId) ?? null;
}

interface Question {
  readonly ids: Set<bigint>;
  readonly times: Promise<ReadonlyMap<bigint, Date | null>>;
}

/** Those that have not been sent yet. */
const questions = new WeakMap<ApiContext, Question>();

async function readOnceAsked(
  context: ApiContext,
  ids: ReadonlySet<bigint>,
): Promise<ReadonlyMap<bigint, Date | null>> {
  // All items of a list ask in the same turn of the event loop.
  await new Promise((resolve) => setImmediate(resolve));
  questions.delete(context);
  const batches = await context.prisma.uploadBatch.findMany({ where: { id: { in: [...ids] } } });
  return new Map(batches.map(({ id, uploadedAt }) => [id, uploadedAt]));
}
