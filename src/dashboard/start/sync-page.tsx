import { Link } from 'react-router';
import { useDataTypes } from '../api/use-data-types.ts';
import { graphql } from '../generated/index.ts';
import { RadioField, SelectField, TextField } from '../parts/form-fields.tsx';
import type { FormValues } from '../parts/form-values.ts';
import { Page } from '../parts/page.tsx';
import { Faint } from '../parts/text.tsx';
import { useSourceNames } from '../sources/use-source-names.ts';
import { readJobOptions } from './job-option-fields.tsx';
import { StartForm } from './start-form.tsx';

const StartSync = graphql(`
  mutation StartSync($input: StartSyncInput!) {
    startSync(input: $input) {
      ... on StartSyncSuccess {
        job {
          id
        }
      }
      ...RefusalReason
    }
  }
`);

/** Starts a sync. */
export default function SyncPage() {
  const sources = useSourceNames({ onlyEnabled: true });
  const dataTypes = useDataTypes();
  return (
    <Page title="Start a sync">
      {sources?.length === 0 && (
        <p>
          <Faint>
            There is no enabled data source to sync yet. <Link to="/sources/new">Add one</Link> first.
          </Faint>
        </p>
      )}
      <StartForm
        label="Start a sync"
        submit="Start sync"
        document={StartSync}
        read={readSync}
        findJob={({ job }) => job}
      >
        <RadioField
          name="syncType"
          label="Sync type"
          options={[
            {
              value: 'FULL',
              label: 'Full',
              description: 'Reads every row. Items that did not change are not saved or uploaded again.',
            },
            {
              value: 'INCREMENTAL',
              label: 'Incremental',
              description: "Reads rows past each source's watermark, by its cursor column.",
            },
          ]}
        />
        <SelectField
          name="dataType"
          label="Data type"
          description="Syncs every enabled data source of this type."
          options={[{ value: '', label: 'All data types' }, ...dataTypes]}
        />
        <TextField
          name="filter"
          label="Filter"
          description="One condition in Databricks SQL. A filtered sync does not move the watermark."
          placeholder="base_location = 'EDWARDS' AND flight_hours > 2"
          isCode
        />
        <TextField
          name="maxItems"
          label="Row limit per source"
          description="Leave empty to read all rows."
          placeholder="no limit"
          isNumber
        />
      </StartForm>
    </Page>
  );
}

function readSync(values: FormValues) {
  return {
    input: {
      syncType: values.readText('syncType') === 'INCREMENTAL' ? ('INCREMENTAL' as const) : ('FULL' as const),
      dataType: values.readOptional('dataType'),
      filter: values.readOptional('filter'),
      maxItems: values.readNumber('maxItems'),
      options: readJobOptions(values),
    },
  };
}
