import type { DataSource } from '../../database/generated/prisma/client.ts';
import { InvalidInputError } from '../../shared/invalid-input.ts';
import { readSchemaChanges, readTableSchema } from '../../sources/found-schema.ts';
import { DataSourceInUseError, DataSourceNotFoundError } from '../../sources/source-errors.ts';
import { builder } from './builder.ts';
import { DataSourceNode } from './data-source.ts';
import { parseUuid } from './global-id.ts';
import { createIdInput } from './id-input.ts';
import { createColumnReader } from './read-columns.ts';
import { READ_MODE, ReadModeEnum } from './read-mode.ts';
import { requires } from './requires.ts';
import { OnSchemaChangeEnum, SchemaChangesType, TableColumnType } from './table-schema.ts';

const readColumns = createColumnReader<DataSource>();

builder.prismaObjectFields(DataSourceNode, (t) => ({
  readMode: t.expose('readMode', { type: ReadModeEnum, description: READ_MODE }),
  onSchemaChange: t.expose('onSchemaChange', {
    type: OnSchemaChangeEnum,
    description: 'What a sync does if the schema of its table has changed.',
  }),
  schema: t.field({
    type: [TableColumnType],
    nullable: true,
    description:
      'The columns of its table, as its last completed sync has seen them or as they were accepted; null before the first.',
    ...readColumns(['tableSchema'], ({ tableSchema }) => {
      const schema = readTableSchema(tableSchema);
      return schema === null ? null : [...schema.columns];
    }),
  }),
  schemaChanges: t.field({
    type: SchemaChangesType,
    nullable: true,
    description: 'The last changes of its schema that a sync has found; null if there were none.',
    ...readColumns(['schemaChanges'], ({ schemaChanges }) => readSchemaChanges(schemaChanges)),
  }),
}));

const AcceptSchemaChangeInput = createIdInput(
  'AcceptSchemaChangeInput',
  'The source whose changed schema to accept.',
  'Id of the source, globally unique or a bare UUID.',
);

const AcceptSchemaChangeSuccess = builder
  .objectRef<{ dataSource: DataSource }>('AcceptSchemaChangeSuccess')
  .implement({
    description: 'The schema was accepted, or nothing stopped the source.',
    fields: (t) => ({
      dataSource: t.field({
        type: DataSourceNode,
        description: 'The source.',
        resolve: ({ dataSource }) => dataSource,
      }),
    }),
  });

builder.mutationField('acceptSchemaChange', (t) =>
  t.field({
    authScopes: requires('admin'),
    nullable: true,
    type: AcceptSchemaChangeSuccess,
    description:
      'Accepts the changes of the schema that stop a source: its next sync reads the table with them. It stops again if the schema has changed further by then.',
    args: {
      input: t.arg({ required: true, type: AcceptSchemaChangeInput, description: 'The source.' }),
    },
    errors: {
      types: [InvalidInputError, DataSourceNotFoundError, DataSourceInUseError],
      union: { name: 'AcceptSchemaChangeResult', description: 'The result of accepting a schema.' },
    },
    resolve: async (_root, { input: { id } }, { jobs }) => ({
      dataSource: await jobs.acceptSchemaChange(parseUuid('DataSource', id, 'input.id')),
    }),
  }),
);
