import { AsyncLocalStorage } from 'node:async_hooks';

/** Work whose statements a warehouse runs. */
export interface TaggedWork {
  /** Identifies its statements in the query history of the warehouse, in plain words. */
  readonly tag: string;
  /**
   * Keeps the handle that a later process needs to end the statements; called before the first of them runs, and again with
   * each new handle. Left out if nobody would end them.
   */
  readonly keepHandle?: (handle: string) => Promise<void>;
}

const works = new AsyncLocalStorage<TaggedWork & { lastHandle: string | null }>();

/** Runs work and tags its statements. */
export function tagStatements<Result>(tagged: TaggedWork, work: () => Result): Result {
  return works.run({ ...tagged, lastHandle: null }, work);
}

/** Returns the tag of the current work, if it has one. */
export function findTag(): string | undefined {
  return works.getStore()?.tag;
}

/** Adds the tag of the current work to a statement: at its end, so that the positions in errors stay right. */
export function addTag(sql: string): string {
  const tag = findTag();
  return tag === undefined ? sql : `${sql}\n/* ${tag} */`;
}

/** Keeps the handle of the statements of the current work, unless it is the last one that was kept. */
export async function keepHandle(handle: string): Promise<void> {
  const work = works.getStore();
  if (work?.keepHandle === undefined || work.lastHandle === handle) return;
  await work.keepHandle(handle);
  work.lastHandle = handle;
}
