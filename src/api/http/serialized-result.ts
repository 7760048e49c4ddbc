import { toClientResult } from './client-errors.ts';

/** Each text is kept while there are subscribers that its result still has to reach. */
const texts = new WeakMap<object, string>();

/** Writes a result as JSON, once for all subscribers that share it. */
export function serializeResult(result: object): string {
  const known = texts.get(result);
  if (known !== undefined) return known;
  const text = JSON.stringify(toClientResult(result));
  texts.set(result, text);
  return text;
}
