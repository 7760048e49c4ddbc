import type { ExecutionProgress } from './messages.ts';

/** Describes how far a statement is, as in `Spark: 120 of 400 tasks`; null before its first stage. */
export function describeProgress({ stages = [] }: ExecutionProgress): string | null {
  const tasks = stages.reduce((sum, { num_tasks: count = 0 }) => sum + count, 0);
  const done = stages.reduce((sum, { num_completed_tasks: count = 0 }) => sum + count, 0);
  return tasks === 0 ? null : `Spark: ${formatCount(done)} of ${formatCount(tasks)} tasks`;
}

function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}
