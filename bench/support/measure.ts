import { loadavg } from 'node:os';

/** How to run a measure. */
export interface MeasureOptions {
  /** Run small, only to show that everything works. */
  readonly quick: boolean;
  /** Include what takes many minutes. */
  readonly large: boolean;
}

/** One line of the table: a measurement, its peer and its goal. */
export interface Result {
  readonly measure: string;
  readonly unit: string;
  readonly value: number;
  /** The measurement to compare with; null for none. */
  readonly peer: { readonly name: string; readonly value: number } | null;
  readonly goal: Goal | null;
}

/** A bound for the value itself, or for the value as a multiple of the peer's. */
export interface Goal {
  readonly of: 'value' | 'ratio';
  readonly at: 'least' | 'most';
  readonly bound: number;
}

/** The module of a measure. */
export interface Measure {
  measure(options: MeasureOptions): Promise<readonly Result[]>;
}

export const ratioAtLeast = (bound: number): Goal => ({ of: 'ratio', at: 'least', bound });
export const ratioAtMost = (bound: number): Goal => ({ of: 'ratio', at: 'most', bound });
export const valueAtMost = (bound: number): Goal => ({ of: 'value', at: 'most', bound });

/** Returns the value as a multiple of the peer's. */
export function toRatio({ value, peer }: Result): number | null {
  return peer === null ? null : value / peer.value;
}

/** Checks whether the goal is reached; null without a goal. */
export function isReached(result: Result): boolean | null {
  const { goal } = result;
  if (goal === null) return null;
  const measured = goal.of === 'value' ? result.value : toRatio(result);
  if (measured === null) return null;
  return goal.at === 'least' ? measured >= goal.bound : measured <= goal.bound;
}

/** Returns the value that this share of the values does not exceed; they need not be sorted. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** Returns the load average of the last minute; above the number of processors, everything is slower. */
export function load(): string {
  return (loadavg()[0] ?? 0).toFixed(1);
}

/** Logs a line of progress, apart from the table. */
export function logProgress(line: string): void {
  process.stderr.write(`${line} (load ${load()})\n`);
}
