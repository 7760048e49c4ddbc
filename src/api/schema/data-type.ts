import type { Column, DataType } from '../../data-types/data-type.ts';
import { dataTypes } from '../../data-types/registry.ts';
import { builder } from './builder.ts';
import { requires } from './requires.ts';

const ColumnType = builder.objectRef<Column>('DataTypeColumn').implement({
  description: 'A column that the tables of a data type usually have.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Its name; tables may write it in any case.' }),
    kind: t.exposeString('kind', {
      description:
        'What its values must be: `text`, `integer`, `number`, `date` or `timestamp`. NULL always fits.',
    }),
    identifying: t.exposeBoolean('identifying', {
      description: 'Whether it identifies an item: each row needs a value in at least one such column.',
    }),
  }),
});

const DataTypeType = builder.objectRef<DataType>('DataType').implement({
  description: 'A kind of BLADE data.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'What inputs call it.' }),
    description: t.exposeString('description', { description: 'One line about it.' }),
    defaultMarking: t.exposeString('defaultMarking', {
      description: 'The classification marking of an item whose row has none.',
    }),
    columns: t.field({
      type: [ColumnType],
      description: 'The columns that are known. A table may have more, which are kept, and may lack some.',
      resolve: ({ columns }) => [...columns],
    }),
  }),
});

builder.queryField('dataTypes', (t) =>
  t.field({
    authScopes: requires('viewer'),
    type: [DataTypeType],
    description: 'The kinds of data that can be synced and queried.',
    resolve: () => [...dataTypes],
  }),
);
