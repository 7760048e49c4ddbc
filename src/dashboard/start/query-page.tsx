import { useMutation, useQuery } from '@apollo/client/react';
import { Button } from '@mantine/core';
import { useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { graphql } from '../generated/index.ts';
import { uuidOf } from '../jobs/job-title.tsx';
import {
  CodeField,
  Form,
  type FormValues,
  NO_PROBLEMS,
  type Problems,
  problemsOf,
  SelectField,
} from '../parts/form.tsx';
import { Icon } from '../parts/icon.tsx';
import { markingOptions } from '../parts/markings.ts';
import { describeError } from '../parts/notice.tsx';
import { Page } from '../parts/page.tsx';
import { RoleNote, useMay } from '../shell/viewer.tsx';
import { OptionFields, optionsOf } from './option-fields.tsx';

const QueryChoices = graphql(`
  query QueryChoices {
    dataTypes {
      name
    }
    dataSources {
      id
      fullTableName
    }
  }
`);

const StartQueryJob = graphql(`
  mutation StartQueryJob($input: StartQueryJobInput!) {
    startQueryJob(input: $input) {
      ... on StartQueryJobSuccess {
        job {
          id
          ...JobRow
        }
      }
      ... on InvalidInputError {
        issues {
          field
          message
        }
      }
      ... on Error {
        message
      }
    }
  }
`);

/** Tables that are named under the query at the most. */
const MOST_TABLES = 8;

/** Starts a query job. */
export default function QueryPage() {
  const navigate = useNavigate();
  const mayStart = useMay('OPERATOR');
  const { data } = useQuery(QueryChoices, { fetchPolicy: 'cache-and-network' });
  const [start, { loading }] = useMutation(StartQueryJob);
  const [problems, setProblems] = useState<Problems>(NO_PROBLEMS);

  async function submit(values: FormValues) {
    const input = {
      dataType: values.text('dataType'),
      sqlQuery: values.text('sqlQuery'),
      parameters: values.json('parameters'),
      catalogConfig: {
        classification: values.optional('catalogConfig.classification'),
        metadata: values.json('catalogConfig.metadata'),
      },
      options: optionsOf(values),
    };
    if (values.issues.length > 0) {
      setProblems({ issues: values.issues, message: null });
      return;
    }
    try {
      const result = (await start({ variables: { input } })).data?.startQueryJob;
      switch (result?.__typename) {
        case 'StartQueryJobSuccess':
          void navigate(`/jobs/${uuidOf(result.job.id)}`);
          return;
        default:
          setProblems(problemsOf(result));
      }
    } catch (error) {
      setProblems({ issues: [], message: describeError(error) });
    }
  }

  const tables = [...new Set((data?.dataSources ?? []).map(({ fullTableName }) => fullTableName))];
  return (
    <Page title="Start a query job">
      <Form
        label="Start a query job"
        problems={problems}
        onSubmit={submit}
        buttons={
          <>
            <Button
              type="submit"
              loading={loading}
              disabled={!mayStart}
              aria-describedby="start-role"
              leftSection={<Icon name="play" />}
            >
              Start query job
            </Button>
            <Button variant="default" component={Link} to="/">
              Back
            </Button>
            <RoleNote needed="OPERATOR" id="start-role" />
          </>
        }
      >
        <SelectField
          name="dataType"
          label="Data type"
          description="What the rows are."
          required
          options={(data?.dataTypes ?? []).map(({ name }) => ({ value: name, label: name }))}
        />
        <CodeField
          name="sqlQuery"
          label="Query"
          description={
            <>
              One SELECT in the dialect of Databricks. Tables are named in full, parameters with a colon.
              {tables.length > 0 &&
                ` Tables of the data sources: ${tables.slice(0, MOST_TABLES).join(', ')}.`}
            </>
          }
          placeholder="SELECT * FROM blade.field.sortie WHERE departure_base = :base"
          required
          rows={9}
        />
        <CodeField
          name="parameters"
          label="Parameters"
          description="A JSON object with a value for each parameter. They are bound, never pasted into the query."
          placeholder='{ "base": "ATL" }'
          rows={3}
        />
        <SelectField
          name="catalogConfig.classification"
          label="Marking"
          description="Of all items; each row has its own when left open."
          options={[{ value: '', label: 'That of each row' }, ...markingOptions]}
        />
        <CodeField
          name="catalogConfig.metadata"
          label="Metadata"
          description="A JSON object that is laid over the metadata of every item."
          placeholder='{ "requestedBy": "ops" }'
          rows={3}
        />
        <OptionFields />
      </Form>
    </Page>
  );
}
