/**
 * Waits until all have ended, also those that run on when another one has failed.
 * @throws the error of the first in the list that failed.
 */
export async function waitForAll<const Values extends readonly unknown[]>(
  promises: Values,
): Promise<{ -readonly [Key in keyof Values]: Awaited<Values[Key]> }> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}
