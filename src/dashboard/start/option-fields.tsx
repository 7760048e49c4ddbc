import type { JobOptionsInput } from '../generated/graphql.ts';
import { type FormValues, TextField } from '../parts/form.tsx';

/** How a job is run, folded away: the defaults fit most jobs. */
export function OptionFields() {
  return (
    <details className="advanced">
      <summary>Advanced</summary>
      <div className="advanced-fields">
        <TextField
          name="options.batchSize"
          label="Rows in a batch"
          description="Saved and uploaded together, from 1 to 10,000."
          placeholder="2000"
          isNumber
        />
        <TextField
          name="options.maxErrors"
          label="Most errors of a source"
          description="It is given up when more of its items fail."
          placeholder="no limit"
          isNumber
        />
        <TextField
          name="options.maxAttempts"
          label="Attempts"
          description="How often a partition is taken up after a failure that may pass, from 1 to 20."
          placeholder="6"
          isNumber
        />
        <TextField
          name="options.partitionRows"
          label="Rows in a partition"
          description="A larger source is read in several, side by side; from 1,000."
          placeholder="500000"
          isNumber
        />
      </div>
    </details>
  );
}

export function optionsOf(values: FormValues): JobOptionsInput {
  return {
    batchSize: values.wholeNumber('options.batchSize'),
    maxErrors: values.wholeNumber('options.maxErrors'),
    maxAttempts: values.wholeNumber('options.maxAttempts'),
    partitionRows: values.wholeNumber('options.partitionRows'),
  };
}
