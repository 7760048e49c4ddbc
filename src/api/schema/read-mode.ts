import { ReadMode } from '../../database/generated/prisma/enums.ts';
import { builder } from './builder.ts';

export const READ_MODE = 'How INCREMENTAL syncs find what has changed in its table.';

export const ReadModeEnum = builder.enumType('ReadMode', {
  description: 'How an INCREMENTAL sync finds what has changed in a table. A FULL sync reads all rows.',
  values: {
    [ReadMode.AUTO]: {
      description: 'By its change feed, if the table has one; otherwise by its cursor column, or all rows.',
    },
    [ReadMode.CHANGE_FEED]: {
      description:
        'By the change feed of a Delta table, which also tells deleted rows. Where that cannot be used, all rows are read, and an event of the job says why.',
    },
    [ReadMode.CURSOR]: {
      description: 'Rows whose cursor is at or after the watermark; all rows without a cursor column.',
    },
    [ReadMode.SNAPSHOT]: { description: 'All rows.' },
  } as const,
});
