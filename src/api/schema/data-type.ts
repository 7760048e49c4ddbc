import type { ColumnKind } from '../../data-types/column-kind.ts';
import type { Column, DataType } from '../../data-types/data-type.ts';
import { builder } from './builder.ts';
import { MarkingEnum } from './marking.ts';
import { requires } from './requires.ts';

const ColumnKindEnum = builder.enumType('ColumnKind', {
  description:
    'The kind of the values of a column, whatever the type in the warehouse. Later versions may add kinds.',
  values: {
    TEXT: { value: 'text', description: 'Text. Numbers and booleans are valid, too.' },
    INTEGER: { value: 'integer', description: 'A whole number, or one as text.' },
    NUMBER: { value: 'number', description: 'A finite number, or one as text.' },
    DATE: { value: 'date', description: 'A calendar date, or a date and time at midnight.' },
    TIMESTAMP: {
      value: 'timestamp',
      description: 'A date and time with or without a zone, or a calendar date.',
    },
  } as const satisfies Record<Uppercase<ColumnKind>, { value: ColumnKind; description: string }>,
});

const ColumnType = builder.objectRef<Column>('DataTypeColumn').implement({
  description: 'A column that tables of a data type usually have.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Column name; case does not matter.' }),
    kind: t.expose('kind', {
      type: ColumnKindEnum,
      description: 'The kind of its values. NULL is always allowed.',
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
    defaultMarking: t.expose('defaultMarking', {
      type: MarkingEnum,
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
    nullable: true,
    type: [DataTypeType],
    description: 'All data types that can be synced and queried.',
    resolve: (_root, _args, { dataTypes }) => [...dataTypes.all],
  }),
);
