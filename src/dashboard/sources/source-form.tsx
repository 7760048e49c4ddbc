import { useMutation, useQuery } from '@apollo/client/react';
import { Button } from '@mantine/core';
import { useState } from 'react';
import { Link } from 'react-router';
import type { SourceFactsFragment } from '../generated/graphql.ts';
import { graphql, readFragment } from '../generated/index.ts';
import {
  CheckField,
  Form,
  type FormValues,
  NO_PROBLEMS,
  type Problems,
  problemsOf,
  SelectField,
  TextField,
} from '../parts/form.tsx';
import { describeError } from '../parts/notice.tsx';
import { RoleNote, useMay } from '../shell/viewer.tsx';
import { SourceFacts } from './source-facts.ts';

const DataTypes = graphql(`
  query DataTypes {
    dataTypes {
      name
      description
    }
  }
`);

const SaveDataSource = graphql(`
  mutation SaveDataSource($input: SaveDataSourceInput!) {
    saveDataSource(input: $input) {
      ... on SaveDataSourceSuccess {
        dataSource {
          id
          ...SourceFacts
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

interface SourceFormProps {
  /** The source to change; null for a new one. */
  readonly source: SourceFactsFragment | null;
  readonly onSaved: (id: string) => void;
}

export function SourceForm({ source, onSaved }: SourceFormProps) {
  const maySave = useMay('ADMIN');
  const { data } = useQuery(DataTypes);
  const [save, { loading }] = useMutation(SaveDataSource);
  const [problems, setProblems] = useState<Problems>(NO_PROBLEMS);
  const [isSaved, setSaved] = useState(false);

  async function submit(values: FormValues) {
    setSaved(false);
    const cron = values.optional('schedule.cron');
    const input = {
      ...(source === null ? {} : { id: source.id }),
      name: values.text('name').trim(),
      dataType: values.text('dataType'),
      catalogName: values.text('catalogName').trim(),
      schemaName: values.text('schemaName').trim(),
      tableName: values.text('tableName').trim(),
      cursorColumn: values.optional('cursorColumn'),
      enabled: values.isChecked('enabled'),
      schedule: cron === null ? null : { cron, timeZone: values.optional('schedule.timeZone') },
    };
    try {
      const result = (await save({ variables: { input } })).data?.saveDataSource;
      switch (result?.__typename) {
        case 'SaveDataSourceSuccess':
          setProblems(NO_PROBLEMS);
          setSaved(true);
          onSaved(readFragment(SourceFacts, result.dataSource).id);
          return;
        default:
          setProblems(problemsOf(result));
      }
    } catch (error) {
      setProblems({ issues: [], message: describeError(error) });
    }
  }

  if (data === undefined) return null;
  return (
    <Form
      label={source === null ? 'Add a data source' : 'Settings of the data source'}
      problems={problems}
      onSubmit={submit}
      buttons={
        <>
          <Button type="submit" loading={loading} disabled={!maySave} aria-describedby="save-role">
            {source === null ? 'Add data source' : 'Save'}
          </Button>
          {source === null && (
            <Button variant="default" component={Link} to="/sources">
              Back
            </Button>
          )}
          <span role="status" className="good">
            {isSaved && 'Saved'}
          </span>
          <RoleNote needed="ADMIN" id="save-role" />
        </>
      }
    >
      <TextField
        name="name"
        label="Name"
        description="What people call it."
        defaultValue={source?.name}
        required
      />
      <SelectField
        name="dataType"
        label="Data type"
        description="What its rows are."
        defaultValue={source?.dataType}
        options={data.dataTypes.map(({ name }) => ({ value: name, label: name }))}
        required
      />
      <div className="field-row">
        <TextField name="catalogName" label="Catalog" defaultValue={source?.catalogName} isCode required />
        <TextField name="schemaName" label="Schema" defaultValue={source?.schemaName} isCode required />
        <TextField name="tableName" label="Table" defaultValue={source?.tableName} isCode required />
      </div>
      <TextField
        name="cursorColumn"
        label="Cursor column"
        description="Grows with each change, and so tells new rows from old ones. Without one, every sync reads all."
        defaultValue={source?.cursorColumn ?? undefined}
        placeholder="updated_at"
        isCode
      />
      <div className="field-row">
        <TextField
          name="schedule.cron"
          label="Schedule"
          description="Minute, hour, day, month, weekday."
          defaultValue={source?.schedule?.cron}
          placeholder="by hand only"
          isCode
        />
        <TextField
          name="schedule.timeZone"
          label="Time zone"
          description="Of the hours of the schedule."
          defaultValue={source?.schedule?.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone}
          list="time-zones"
        />
        <datalist id="time-zones">
          {Intl.supportedValuesOf('timeZone').map((zone) => (
            <option key={zone} value={zone} />
          ))}
        </datalist>
      </div>
      <CheckField
        name="enabled"
        label="Enabled"
        description="Syncs read it, by hand and by schedule."
        isChecked={source?.enabled ?? true}
      />
    </Form>
  );
}
