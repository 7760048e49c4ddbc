import type { JobFilter } from '../../jobs/job-filter.ts';
import type { ApiContext } from '../context.ts';
import { builder } from './builder.ts';
import { parsePrincipalId, parseUuid } from './global-id.ts';
import { checkText, removeDuplicates } from './input-checks.ts';
import { JobKindEnum, JobOutcomeEnum, JobStateEnum } from './job-enums.ts';

const LabelFilter = builder.inputType('LabelFilter', {
  description: 'A label that a job has.',
  fields: (t) => ({
    key: t.string({ required: true, description: 'Key of the label.' }),
    value: t.string({ description: 'Value of the label. Default: any.' }),
  }),
});

export const JobFilterInput = builder.inputType('JobFilter', {
  description: 'Conditions on jobs, combined with AND. An empty list of values matches no job.',
  fields: (t) => ({
    kinds: t.field({ type: [JobKindEnum], description: 'Jobs of any of these kinds.' }),
    states: t.field({ type: [JobStateEnum], description: 'Jobs in any of these states.' }),
    outcomes: t.field({
      type: [JobOutcomeEnum],
      description: 'Jobs with any of these outcomes, counting the rows that your clearance covers.',
    }),
    dataTypes: t.stringList({ description: 'Jobs started for any of these data types.' }),
    dataSourceIds: t.idList({ description: 'Jobs that read any of these sources.' }),
    startedByIds: t.idList({
      description: 'Jobs started by any of these principals, with or without `Principal:` before their ids.',
    }),
    createdAfter: t.field({ type: 'DateTime', description: 'Jobs created at this time or later.' }),
    createdBefore: t.field({ type: 'DateTime', description: 'Jobs created before this time.' }),
    finishedAfter: t.field({ type: 'DateTime', description: 'Jobs that ended at this time or later.' }),
    finishedBefore: t.field({ type: 'DateTime', description: 'Jobs that ended before this time.' }),
    isRetry: t.boolean({ description: 'Jobs that are retries (true) or not (false).' }),
    retryOfId: t.id({ description: 'Retries of this job.' }),
    sqlContains: t.string({
      description:
        'Query jobs whose SELECT, or syncs whose filter, contains this text. The case of the letters A to Z does not matter.',
    }),
    labels: t.field({ type: [LabelFilter], description: 'Jobs with all of these labels.' }),
  }),
});

/**
 * Checks the filter of a list or a feed of jobs.
 * @throws InvalidInputError naming the field at fault.
 */
export function parseJobFilter(
  { dataTypes: known }: Pick<ApiContext, 'dataTypes'>,
  input: typeof JobFilterInput.$inferInput | null | undefined,
): JobFilter {
  if (input == null) return {};
  const { dataTypes, dataSourceIds, startedByIds, retryOfId, sqlContains } = input;
  known.check(dataTypes, 'filter.dataTypes');
  if (sqlContains != null) checkText(sqlContains, 'filter.sqlContains');
  const labels = (input.labels ?? []).map(({ key, value = null }, index) => {
    checkText(key, `filter.labels.${index}.key`);
    if (value !== null) checkText(value, `filter.labels.${index}.value`);
    return { key, value };
  });
  removeDuplicates(labels, 'filter.labels');
  const values = {
    kinds: input.kinds && removeDuplicates(input.kinds, 'filter.kinds'),
    states: input.states && removeDuplicates(input.states, 'filter.states'),
    outcomes: input.outcomes && removeDuplicates(input.outcomes, 'filter.outcomes'),
    dataTypes: dataTypes && removeDuplicates(dataTypes, 'filter.dataTypes'),
    dataSourceIds:
      dataSourceIds &&
      removeDuplicates(
        dataSourceIds.map((id, index) => parseUuid('DataSource', id, `filter.dataSourceIds.${index}`)),
        'filter.dataSourceIds',
      ),
    startedByIds:
      startedByIds &&
      removeDuplicates(
        startedByIds.map((id) => parsePrincipalId(id, 'filter.startedByIds')),
        'filter.startedByIds',
      ),
    createdAfter: input.createdAfter,
    createdBefore: input.createdBefore,
    finishedAfter: input.finishedAfter,
    finishedBefore: input.finishedBefore,
    isRetry: input.isRetry,
    retryOfId: retryOfId == null ? null : parseUuid('Job', retryOfId, 'filter.retryOfId'),
    sqlContains,
    labels,
  };
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value != null));
}
