import { OnSchemaChange } from '../../database/generated/prisma/enums.ts';
import { describeSchemaChange, type SchemaChange } from '../../ingestion/table-schema.ts';
import type { SchemaChanges } from '../../sources/found-schema.ts';
import type { TableColumn } from '../../warehouse/warehouse.ts';
import { builder } from './builder.ts';

export const OnSchemaChangeEnum = builder.enumType('OnSchemaChange', {
  description:
    'What a sync does if the schema of the table has changed since the last completed one. A dropped, renamed or retyped id or cursor column stops the source in any case.',
  values: {
    [OnSchemaChange.CONTINUE]: { description: 'It records the changes, and reads the table.' },
    [OnSchemaChange.PAUSE]: {
      description: 'It reads nothing of the source, which fails until `acceptSchemaChange`.',
    },
  } as const,
});

export const TableColumnType = builder.objectRef<TableColumn>('TableColumn').implement({
  description: 'A column of a table in the warehouse.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Column name.' }),
    type: t.exposeString('type', {
      description:
        'Databricks name of its type, with all fields of nested ones. Text files have none: it is inferred from their cells.',
    }),
    comment: t.string({
      nullable: true,
      description: 'Its comment, as the warehouse reports it; null for none.',
      resolve: ({ comment }) => comment ?? null,
    }),
    isNullable: t.boolean({
      nullable: true,
      description: 'Whether its cells can be NULL; null if the warehouse does not say.',
      resolve: ({ isNullable }) => isNullable ?? null,
    }),
  }),
});

const SchemaChangeKind = builder.enumType('SchemaChangeKind', {
  description: 'A way in which a column of a table can change.',
  values: {
    ADDED: { description: 'The table did not have it before.' },
    DROPPED: { description: 'The table does not have it any more.' },
    RETYPED: { description: 'It has another type.' },
    RENAMED: {
      description:
        'It has another name, as the history of a Delta table with column mapping tells. Elsewhere, it counts as one that was dropped and another that was added.',
    },
  } as const,
});

/** A change of one column. */
export const SchemaChangeType = builder.objectRef<SchemaChange>('SchemaChange').implement({
  description: 'A change of a column of a table.',
  fields: (t) => ({
    kind: t.expose('kind', { type: SchemaChangeKind, description: 'How it changed.' }),
    column: t.exposeString('column', { description: 'Its name; for a renamed one, that before.' }),
    newName: t.string({
      nullable: true,
      description: 'The new name of a renamed one; otherwise null.',
      resolve: (change) => (change.kind === 'RENAMED' ? change.newName : null),
    }),
    type: t.string({
      nullable: true,
      description: 'Its type; for a retyped one, that before. Null for a renamed one.',
      resolve: (change) => (change.kind === 'RENAMED' ? null : change.type),
    }),
    newType: t.string({
      nullable: true,
      description: 'The new type of a retyped one; otherwise null.',
      resolve: (change) => (change.kind === 'RETYPED' ? change.newType : null),
    }),
    message: t.string({
      description: 'The change in a few words, for people.',
      resolve: describeSchemaChange,
    }),
  }),
});

/** The last changes of a source. */
export const SchemaChangesType = builder.objectRef<SchemaChanges>('SchemaChanges').implement({
  description: 'What has changed in the schema of a table between two syncs.',
  fields: (t) => ({
    changes: t.expose('changes', { type: [SchemaChangeType], description: 'The changes.' }),
    foundAt: t.expose('foundAt', { type: 'DateTime', description: 'When a sync found them.' }),
    isStopped: t.exposeBoolean('isStopped', {
      description:
        'Whether they stop the source: `lastSyncMessage` says why, and what to do. `acceptSchemaChange` accepts them.',
    }),
  }),
});
