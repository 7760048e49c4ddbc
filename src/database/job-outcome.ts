/** What the outcome of a job is decided by, as SQL expressions. */
export interface OutcomeFacts {
  readonly state: string;
  readonly success: string;
  readonly errors: string;
  /** Whether a source was read to its end without an error, even if it has no rows. */
  readonly hasWholeSource: string;
}

/**
 * Creates the SQL expression, of type text, for the outcome of a job: null unless it is COMPLETED or FAILED. The end of a job
 * stores it, and the view of each clearance applies it to the counts that it covers, so that it reveals no others.
 */
export function createOutcome({ state, success, errors, hasWholeSource }: OutcomeFacts): string {
  return `case ${state}::text
    when 'FAILED' then case when ${success} > 0 or ${hasWholeSource} then 'SOURCES_FAILED' else 'NOTHING_SUCCEEDED' end
    when 'COMPLETED' then case when ${errors} = 0 then 'SUCCEEDED' when ${success} > 0 then 'ITEMS_FAILED'
      else 'NOTHING_SUCCEEDED' end end`;
}

/**
 * Creates the SQL condition that a source of a job was read to its end without an error.
 * @param jobId the job's id as an SQL expression.
 * @param errors the errors of a partition `p` as an SQL expression.
 */
export function createHasWholeSource(jobId: string, errors: string): string {
  return `exists (select from public.job_partition p where p.job_id = ${jobId}
    group by p.source_name having bool_and(p.state = 'COMPLETED') and sum(${errors}) = 0)`;
}
