import { useState } from 'react';
import { useDataTypes } from '../api/use-data-types.ts';
import type { DeletePolicy, OnSchemaChange, ReadMode, SourceRowFragment } from '../generated/graphql.ts';
import { graphql } from '../generated/index.ts';
import { FieldRow, Form, useForm } from '../parts/form.tsx';
import { CheckField, SelectField, TextField } from '../parts/form-fields.tsx';
import type { FormValues } from '../parts/form-values.ts';

const CreateDataSource = graphql(`
  mutation CreateDataSource($input: CreateDataSourceInput!) {
    createDataSource(input: $input) {
      ... on CreateDataSourceSuccess {
        dataSource {
          id
          ...SourceRow
        }
      }
      ...RefusalReason
    }
  }
`);

const UpdateDataSource = graphql(`
  mutation UpdateDataSource($input: UpdateDataSourceInput!) {
    updateDataSource(input: $input) {
      ... on UpdateDataSourceSuccess {
        dataSource {
          id
          revision
          ...SourceRow
        }
      }
      ...RefusalReason
    }
  }
`);

interface SourceFormProps {
  /** The source to change; null for a new one. */
  readonly source: SourceRowFragment | null;
  readonly onSaved: (id: string) => void;
}

/** Adds or changes a data source. */
export function SourceForm({ source, onSaved }: SourceFormProps) {
  const dataTypes = useDataTypes();
  // That of the values in the form: the source in the cache may be newer.
  const [revision, setRevision] = useState(source?.revision ?? null);
  const creation = useForm(
    CreateDataSource,
    (values) => ({ input: readSettings(values) }),
    ({ dataSource }) => onSaved(dataSource.id),
  );
  const change = useForm(
    UpdateDataSource,
    (values) => ({
      input: { id: source?.id ?? '', expectedRevision: revision, ...readSettings(values) },
    }),
    ({ dataSource }) => {
      setRevision(dataSource.revision);
      onSaved(dataSource.id);
    },
  );
  const form = source === null ? creation : change;

  // Without options, the select would not show the source's data type.
  if (dataTypes.length === 0) return null;
  return (
    <Form
      form={form}
      needs="ADMIN"
      {...(source === null
        ? { label: 'Add a data source', submit: 'Add data source', backTo: '/sources' }
        : { label: 'Settings of the data source', submit: 'Save', saved: 'Saved' })}
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
        description="The type of its rows."
        defaultValue={source?.dataType}
        options={dataTypes}
        required
      />
      <FieldRow>
        <TextField name="catalogName" label="Catalog" defaultValue={source?.catalogName} isCode required />
        <TextField name="schemaName" label="Schema" defaultValue={source?.schemaName} isCode required />
        <TextField name="tableName" label="Table" defaultValue={source?.tableName} isCode required />
      </FieldRow>
      <TextField
        name="cursorColumn"
        label="Cursor column"
        description="A column that grows with each change, which finds new rows. Without it, every sync reads all rows."
        defaultValue={source?.cursorColumn ?? undefined}
        placeholder="updated_at"
        isCode
      />
      <FieldRow>
        <TextField
          name="schedule.cron"
          label="Schedule"
          description="Minute, hour, day, month, weekday."
          defaultValue={source?.schedule?.cron}
          placeholder="manual only"
          isCode
        />
        <TextField
          name="schedule.timeZone"
          label="Time zone"
          description="The time zone of the schedule."
          defaultValue={source?.schedule?.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone}
          list="time-zones"
        />
        <datalist id="time-zones">
          {Intl.supportedValuesOf('timeZone').map((zone) => (
            <option key={zone} value={zone} />
          ))}
        </datalist>
      </FieldRow>
      <FieldRow>
        <SelectField
          name="deletePolicy"
          label="Deleted rows"
          description="What a complete FULL sync does with their items."
          defaultValue={source?.deletePolicy}
          options={DELETE_POLICIES}
        />
        <TextField
          name="maxDeletePercent"
          label="Most to delete at once, in percent"
          description="More deletes wait for an admin to approve them."
          defaultValue={String(source?.maxDeletePercent ?? 20)}
          isNumber
        />
      </FieldRow>
      <SelectField
        name="readMode"
        label="Changes"
        description="How INCREMENTAL syncs find them."
        defaultValue={source?.readMode}
        options={READ_MODES}
      />
      <SelectField
        name="onSchemaChange"
        label="Changed columns"
        description="What a sync does with a table that has them."
        defaultValue={source?.onSchemaChange}
        options={SCHEMA_CHOICES}
      />
      <CheckField
        name="enabled"
        label="Enabled"
        description="Manual and scheduled syncs read it."
        isChecked={source?.enabled ?? true}
      />
    </Form>
  );
}

const DELETE_POLICIES: readonly { value: DeletePolicy; label: string }[] = [
  { value: 'KEEP', label: 'Keep their items' },
  { value: 'MARK', label: 'Mark their items as deleted' },
  { value: 'REMOVE', label: 'Remove their items, from the catalog too' },
];

const READ_MODES: readonly { value: ReadMode; label: string }[] = [
  { value: 'AUTO', label: 'By the change feed of the table, or its cursor column' },
  { value: 'CHANGE_FEED', label: 'By the change feed' },
  { value: 'CURSOR', label: 'By the cursor column' },
  { value: 'SNAPSHOT', label: 'Read all rows' },
];

const SCHEMA_CHOICES: readonly { value: OnSchemaChange; label: string }[] = [
  { value: 'CONTINUE', label: 'Record it and continue' },
  { value: 'PAUSE', label: 'Read nothing until it is accepted' },
];

function readDeletePolicy(values: FormValues): DeletePolicy {
  const chosen = values.readText('deletePolicy');
  return DELETE_POLICIES.find(({ value }) => value === chosen)?.value ?? 'KEEP';
}

function readSettings(values: FormValues) {
  const cron = values.readOptional('schedule.cron');
  const maxDeletePercent = values.readNumber('maxDeletePercent');
  return {
    name: values.readText('name').trim(),
    dataType: values.readText('dataType'),
    catalogName: values.readText('catalogName').trim(),
    schemaName: values.readText('schemaName').trim(),
    tableName: values.readText('tableName').trim(),
    cursorColumn: values.readOptional('cursorColumn'),
    deletePolicy: readDeletePolicy(values),
    readMode:
      READ_MODES.find(({ value }) => value === values.readText('readMode'))?.value ?? ('AUTO' as const),
    onSchemaChange:
      values.readText('onSchemaChange') === 'PAUSE' ? ('PAUSE' as const) : ('CONTINUE' as const),
    // Left out, it stays, or is the default.
    ...(maxDeletePercent === null ? {} : { maxDeletePercent }),
    enabled: values.isChecked('enabled'),
    schedule: cron === null ? null : { cron, timeZone: values.readOptional('schedule.timeZone') },
  };
}
