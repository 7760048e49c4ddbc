import { useMutation, useQuery } from '@apollo/client/react';
import { Button } from '@mantine/core';
import { useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { graphql } from '../generated/index.ts';
import { uuidOf } from '../jobs/job-title.tsx';
import {
  Form,
  type FormValues,
  NO_PROBLEMS,
  type Problems,
  problemsOf,
  SelectField,
  TextField,
} from '../parts/form.tsx';
import { Icon } from '../parts/icon.tsx';
import { describeError } from '../parts/notice.tsx';
import { Page } from '../parts/page.tsx';
import { RoleNote, useMay } from '../shell/viewer.tsx';
import { OptionFields, optionsOf } from './option-fields.tsx';

const SyncChoices = graphql(`
  query SyncChoices {
    dataTypes {
      name
    }
    dataSources(enabled: true) {
      id
      name
      dataType
    }
  }
`);

const StartSync = graphql(`
  mutation StartSync($input: StartSyncInput!) {
    startSync(input: $input) {
      ... on StartSyncSuccess {
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
      ... on SyncAlreadyRunningError {
        activeJob {
          id
        }
      }
      ... on Error {
        message
      }
    }
  }
`);

/** Starts a sync. */
export default function SyncPage() {
  const navigate = useNavigate();
  const mayStart = useMay('OPERATOR');
  const { data } = useQuery(SyncChoices, { fetchPolicy: 'cache-and-network' });
  const [start, { loading }] = useMutation(StartSync);
  const [problems, setProblems] = useState<Problems>(NO_PROBLEMS);

  async function submit(values: FormValues) {
    const input = {
      syncType: values.text('syncType') === 'INCREMENTAL' ? ('INCREMENTAL' as const) : ('FULL' as const),
      dataType: values.optional('dataType'),
      filter: values.optional('filter'),
      maxItems: values.wholeNumber('maxItems'),
      options: optionsOf(values),
    };
    if (values.issues.length > 0) {
      setProblems({ issues: values.issues, message: null });
      return;
    }
    try {
      const result = (await start({ variables: { input } })).data?.startSync;
      switch (result?.__typename) {
        case 'StartSyncSuccess':
          void navigate(`/jobs/${uuidOf(result.job.id)}`);
          return;
        case 'SyncAlreadyRunningError':
          setProblems({
            issues: [],
            message: <Running message={result.message} id={result.activeJob?.id} />,
          });
          return;
        case 'NoDataSourceError':
          setProblems({ issues: [], message: <NoSource message={result.message} /> });
          return;
        default:
          setProblems(problemsOf(result));
      }
    } catch (error) {
      setProblems({ issues: [], message: describeError(error) });
    }
  }

  return (
    <Page title="Start a sync">
      {data?.dataSources.length === 0 && (
        <p className="hint">
          There is no enabled data source to sync yet. <Link to="/sources/new">Add one</Link> first.
        </p>
      )}
      <Form
        label="Start a sync"
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
              Start sync
            </Button>
            <Button variant="default" component={Link} to="/">
              Back
            </Button>
            <RoleNote needed="OPERATOR" id="start-role" />
          </>
        }
      >
        <fieldset className="choices">
          <legend>How much to read</legend>
          <label>
            <input type="radio" name="syncType" value="FULL" defaultChecked />
            <span>
              Everything
              <span className="faint"> What has not changed is neither written nor uploaded again.</span>
            </span>
          </label>
          <label>
            <input type="radio" name="syncType" value="INCREMENTAL" />
            <span>
              What is new
              <span className="faint"> Rows past each source's watermark, by its cursor column.</span>
            </span>
          </label>
        </fieldset>
        <SelectField
          name="dataType"
          label="Data type"
          description="All enabled sources of it are read."
          options={[
            { value: '', label: 'All data types' },
            ...(data?.dataTypes ?? []).map(({ name }) => ({ value: name, label: name })),
          ]}
        />
        <TextField
          name="filter"
          label="Only rows where"
          description="One condition in the dialect of Databricks. A filtered sync does not move the watermark."
          placeholder="base_location = 'EDWARDS' AND flight_hours > 2"
          isCode
        />
        <TextField
          name="maxItems"
          label="Most rows of each source"
          description="All when left empty."
          placeholder="all"
          isNumber
        />
        <OptionFields />
      </Form>
    </Page>
  );
}

function Running({ message, id }: { message: string; id: string | undefined }) {
  return (
    <>
      {message} {id !== undefined && <Link to={`/jobs/${uuidOf(id)}`}>Go to the active sync</Link>}
    </>
  );
}

function NoSource({ message }: { message: string }) {
  return (
    <>
      {message} <Link to="/sources">Go to the data sources</Link>
    </>
  );
}
