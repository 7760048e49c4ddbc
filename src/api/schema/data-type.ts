import type { Column, DataType } from '../../data-types/data-type.ts';
import { builder } from './builder.ts';
import { requires } from './requires.ts';

const ColumnType = builder.objectRef<Column>('DataTypeColumn').implement({
  description: 'A column that tables of a data type usually have.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Column name; case does not matter.' }),
    kind: t.exposeString('kind', {
      description:
        'The kind of its values: `text`, `integer`, `number`, `date` or `timestamp`. NULL is always allowed.',
    }),
    identifying: t.exposeBoolean('identifying', {
      description:
        'Whether the column identifies an item. Each row needs a value in at least one such column.',
    }),
  }),
});

const DataTypeType = builder.objectRef<DataType>('DataType').implement({
  description: 'A kind of BLADE data.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Name, as inputs expect it.' }),
    description: t.exposeString('description', { description: 'One-line summary.' }),
    defaultMarking: t.exposeString('defaultMarking', {
      description: 'Classification marking of an item whose row has none.',
    }),
    columns: t.field({
      type: [ColumnType],
      description: 'Known columns. A table may lack some, and may have others, which are kept.',
      resolve: ({ columns }) => [...columns],
    }),
  }),
});

builder.queryField('dataTypes', (t) =>
  t.field({
    authScopes: requires('viewer'),
    type: [DataTypeType],
    description: 'All data types that can be synced and queried.',
    resolve: (_root, _args, { dataTypes }) => [...dataTypes.all],
  }),
);
