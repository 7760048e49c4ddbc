import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** What V8 calls `gc`; as the last resort, it also gives back memory that it would keep for later. */
type Collector = (options?: { readonly type: 'major'; readonly flavor: 'last-resort' }) => void;

let collector: Collector | null = null;

/** Collects all garbage of this thread. */
export function collectGarbage(): void {
  findCollector()();
}

function findCollector(): Collector {
  if (collector === null) {
    setFlagsFromString('--expose-gc');
    collector = runInNewContext('gc');
  }
  return collector as Collector;
}

/** How long after its start a thread gives back what only the start needed, in milliseconds. */
const AFTER_START_MS = 3_000;

/** Gives back the memory that only the start of this thread needed: an idle thread would collect it hours later. */
export function collectAfterStart(): void {
  setTimeout(() => findCollector()({ type: 'major', flavor: 'last-resort' }), AFTER_START_MS).unref();
}
