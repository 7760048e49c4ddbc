import { z } from 'zod';

/** A whole number within bounds, with one message for all that it is not. */
const wholeNumberSchema = (least: number, most: number) => {
  const error = `must be a whole number from ${least} to ${most}`;
  return z.int({ error }).min(least, { error }).max(most, { error });
};

/** Options of a job. All have defaults, so a stored job has them all. */
export const jobOptionsSchema = z.object({
  batchSize: wholeNumberSchema(1, 10_000)
    .nullish()
    .transform((size) => size ?? DEFAULT_BATCH_SIZE),
  maxErrors: z
    .int()
    .min(0, { error: 'must be at least 0; leave it out for no limit' })
    .nullish()
    .transform((limit) => limit ?? null),
  maxAttempts: wholeNumberSchema(1, 20)
    .nullish()
    .transform((attempts) => attempts ?? DEFAULT_ATTEMPTS),
  partitionRows: wholeNumberSchema(1_000, 100_000_000)
    .nullish()
    .transform((rows) => rows ?? null),
});

/** Rows per batch: large enough to outweigh a round trip, small enough to keep memory flat. */
const DEFAULT_BATCH_SIZE = 2_000;

/** Enough to outlast a restart of every service that a job needs, one after the other. */
const DEFAULT_ATTEMPTS = 6;

export type JobOptions = z.output<typeof jobOptionsSchema>;

/** The options of a job whose starter gave none. */
export const DEFAULT_JOB_OPTIONS: JobOptions = jobOptionsSchema.parse({});

/** Options as an input; the defaults if it is left out. */
export const optionsInputSchema = jobOptionsSchema
  .nullish()
  .transform((options) => options ?? DEFAULT_JOB_OPTIONS);

/** Reads the options of a stored job. */
export function readJobOptions({ options }: { readonly options: unknown }): JobOptions {
  return jobOptionsSchema.parse(options);
}
