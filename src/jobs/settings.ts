import { defineSettings, wholeNumber } from '../shared/settings.ts';
import type { RetentionSettings } from './retention.ts';

const days = () => wholeNumber(0, 36_500);

export const jobSettings = defineSettings({
  variables: {
    BLADE_PROGRESS_INTERVAL_MS: wholeNumber(10, 60_000)
      .default(250)
      .describe('Least time between two progress writes of a job, in milliseconds.'),
    BLADE_HISTORY_RETENTION_DAYS: days()
      .default(90)
      .describe(
        'How long ended jobs, their errors and the runs of schedules are kept, in days; `0` for ever.',
      ),
    BLADE_ITEM_RETENTION_DAYS: days()
      .default(0)
      .describe('How long items that do not change are kept, in days; `0` for ever.'),
    BLADE_AUDIT_RETENTION_DAYS: days()
      .default(0)
      .describe('How long entries of the audit are kept, in days; `0` for ever.'),
  },
  toSettings: (values) => ({
    /** The least time between two progress writes of a job, in milliseconds. */
    progressIntervalMs: values.BLADE_PROGRESS_INTERVAL_MS,
    retention: {
      historyDays: values.BLADE_HISTORY_RETENTION_DAYS || null,
      itemDays: values.BLADE_ITEM_RETENTION_DAYS || null,
      auditDays: values.BLADE_AUDIT_RETENTION_DAYS || null,
    } satisfies RetentionSettings,
  }),
});
