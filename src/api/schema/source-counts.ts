import type { DataSource } from '../../database/generated/prisma/client.ts';
import { builder } from './builder.ts';
import { sumKnown } from './change-counts.ts';
import { DataSourceNode } from './data-source.ts';
import { createColumnReader } from './read-columns.ts';

const readColumns = createColumnReader<DataSource>();

type CountColumn = 'insertedByLevel' | 'updatedByLevel' | 'unchangedByLevel' | 'failedByLevel';

function createCount(column: CountColumn, description: string) {
  return {
    type: 'SafeInt',
    nullable: true,
    description: `${description} Null before the first sync, and after one by an earlier version of the program.`,
    ...readColumns([column], (source) => sumKnown(source[column])),
  } as const;
}

builder.prismaObjectFields(DataSourceNode, (t) => ({
  insertedCount: t.field(
    createCount(
      'insertedByLevel',
      'Rows of its last completed sync that made new items or brought deleted ones back.',
    ),
  ),
  updatedCount: t.field(
    createCount(
      'updatedByLevel',
      'Rows of its last completed sync that changed the content, the marking or the source of their items.',
    ),
  ),
  unchangedCount: t.field(
    createCount(
      'unchangedByLevel',
      'Rows of its last completed sync whose items stayed as they were. If the table was unchanged, a FULL sync counts its items without reading them, and an INCREMENTAL one reads and counts none.',
    ),
  ),
  failedCount: t.field(createCount('failedByLevel', 'Rows of its last completed sync that failed.')),
}));
