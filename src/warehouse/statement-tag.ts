import { AsyncLocalStorage } from 'node:async_hooks';

const tags = new AsyncLocalStorage<string>();

/**
 * Runs work and tags its statements, so that they can be found in the query history of the warehouse.
 * @param tag plain words.
 */
export function tagStatements<Result>(tag: string, work: () => Result): Result {
  return tags.run(tag, work);
}

/** Returns the tag of the current work, if it has one. */
export function findTag(): string | undefined {
  return tags.getStore();
}

/** Adds the tag of the current work to a statement: at its end, so that the positions in errors stay right. */
export function addTag(sql: string): string {
  const tag = findTag();
  return tag === undefined ? sql : `${sql}\n/* ${tag} */`;
}
