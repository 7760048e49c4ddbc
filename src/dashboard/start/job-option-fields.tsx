import type { JobOptionsInput } from '../generated/graphql.ts';
import { FieldFold } from '../parts/form.tsx';
import { TextField } from '../parts/form-fields.tsx';
import type { FormValues } from '../parts/form-values.ts';

/** The options of a job, folded away because the defaults fit most jobs. */
export function JobOptionFields() {
  return (
    <FieldFold title="Advanced">
      <TextField
        name="options.batchSize"
        label="Batch size"
        description="Rows saved and uploaded together, from 1 to 10,000."
        placeholder="2000"
        isNumber
      />
      <TextField
        name="options.maxErrors"
        label="Error limit per source"
        description="A source with more errors than this is stopped."
        placeholder="no limit"
        isNumber
      />
      <TextField
        name="options.maxAttempts"
        label="Attempts"
        description="How often a partition is tried after temporary failures, from 1 to 20."
        placeholder="6"
        isNumber
      />
      <TextField
        name="options.partitionRows"
        label="Partition size"
        description="Sources with more rows are split and read in parallel. At least 1,000. Default: 500,000 for files, no split for Databricks."
        placeholder="default"
        isNumber
      />
    </FieldFold>
  );
}

export function readJobOptions(values: FormValues): JobOptionsInput {
  return {
    batchSize: values.readNumber('options.batchSize'),
    maxErrors: values.readNumber('options.maxErrors'),
    maxAttempts: values.readNumber('options.maxAttempts'),
    partitionRows: values.readNumber('options.partitionRows'),
  };
}
