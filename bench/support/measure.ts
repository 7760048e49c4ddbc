import { loadavg } from 'node:os';

/** How a measure is run. */
export interface MeasureOptions {
  /** A small run that only shows that everything works. */
  readonly quick: boolean;
  /** Also what takes many minutes. */
  readonly large: boolean;
}

/** One line of the table: what was measured, what it is compared with, and what is aimed at. */
export interface Result {
  readonly measure: string;
  readonly unit: string;
  readonly value: number;
  /** What stands beside it; null for a number on its own. */
  readonly peer: { readonly name: string; readonly value: number } | null;
  readonly goal: Goal | null;
}

/** What is aimed at: the value itself, or the value as a multiple of the peer's. */
export interface Goal {
  readonly of: 'value' | 'ratio';
  readonly at: 'least' | 'most';
  readonly bound: number;
}

/** What a file of this folder that measures something exports. */
export interface Measure {
  measure(options: MeasureOptions): Promise<readonly Result[]>;
}

export const ratioAtLeast = (bound: number): Goal => ({ of: 'ratio', at: 'least', bound });
export const ratioAtMost = (bound: number): Goal => ({ of: 'ratio', at: 'most', bound });
export const valueAtMost = (bound: number): Goal => ({ of: 'value', at: 'most', bound });

/** The value as a multiple of the peer's. */
export function ratioOf({ value, peer }: Result): number | null {
  return peer === null ? null : value / peer.value;
}

/** Whether the goal is reached; null where there is none. */
export function isReached(result: Result): boolean | null {
  const { goal } = result;
  if (goal === null) return null;
  const measured = goal.of === 'value' ? result.value : ratioOf(result);
  if (measured === null) return null;
  return goal.at === 'least' ? measured >= goal.bound : measured <= goal.bound;
}

/** The least value that this share of the others does not exceed; they need not be in order. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** Processes that wanted to run, on average over the last minute: more than there are processors, and all are slower. */
export function load(): string {
  return (loadavg()[0] ?? 0).toFixed(1);
}

/** A line of progress, apart from the table. */
export function tell(line: string): void {
  process.stderr.write(`${line} (load ${load()})\n`);
}
