import { useDataTypes } from '../api/use-data-types.ts';
import { graphql } from '../generated/index.ts';
import { CodeField, SelectField } from '../parts/form-fields.tsx';
import type { FormValues } from '../parts/form-values.ts';
import { listMarking, MARKING_OPTIONS } from '../parts/markings.ts';
import { Page } from '../parts/page.tsx';
import { useSourceNames } from '../sources/use-source-names.ts';
import { readJobOptions } from './job-option-fields.tsx';
import { StartForm } from './start-form.tsx';

const StartQueryJob = graphql(`
  mutation StartQueryJob($input: StartQueryJobInput!) {
    startQueryJob(input: $input) {
      ... on StartQueryJobSuccess {
        job {
          id
        }
      }
      ...RefusalReason
    }
  }
`);

/** Tables to name under the query. */
const MAX_TABLES = 8;

/** Starts a query job. */
export default function QueryPage() {
  const sources = useSourceNames({ onlyEnabled: false });
  const dataTypes = useDataTypes();
  const tables = [...new Set((sources ?? []).map(({ fullTableName }) => fullTableName))];
  return (
    <Page title="Start a query job">
      <StartForm
        label="Start a query job"
        submit="Start query job"
        document={StartQueryJob}
        read={readQuery}
        findJob={({ job }) => job}
      >
        <SelectField
          name="dataType"
          label="Data type"
          description="The type of the rows."
          required
          options={dataTypes}
        />
        <CodeField
          name="sqlQuery"
          label="Query"
          description={
            <>
              One SELECT in Databricks SQL, with full table names. Parameters begin with a colon.
              {tables.length > 0 && ` Tables of the data sources: ${tables.slice(0, MAX_TABLES).join(', ')}.`}
            </>
          }
          placeholder="SELECT * FROM blade.field.sortie WHERE departure_base = :base"
          required
          rows={9}
        />
        <CodeField
          name="parameters"
          label="Parameters"
          description="A JSON object with a value for each parameter. Values are bound, never pasted into the query."
          placeholder='{ "base": "ATL" }'
          rows={3}
        />
        <SelectField
          name="catalogConfig.classification"
          label="Marking"
          description="The marking of all items."
          options={[{ value: '', label: "Each row's own" }, ...MARKING_OPTIONS]}
        />
        <CodeField
          name="catalogConfig.metadata"
          label="Metadata"
          description="A JSON object that is merged into the metadata of every item."
          placeholder='{ "requestedBy": "ops" }'
          rows={3}
        />
      </StartForm>
    </Page>
  );
}

function readQuery(values: FormValues) {
  return {
    input: {
      dataType: values.readText('dataType'),
      sqlQuery: values.readText('sqlQuery'),
      parameters: values.readJson('parameters'),
      catalogConfig: {
        classification: listMarking(values.readOptional('catalogConfig.classification'))[0] ?? null,
        metadata: values.readJson('catalogConfig.metadata'),
      },
      options: readJobOptions(values),
    },
  };
}
