import { InvalidInputError } from '../../shared/invalid-input.ts';
import type { SyncPreview } from '../../sources/preview-sync.ts';
import { DataSourceNotFoundError } from '../../sources/source-errors.ts';
import { builder } from './builder.ts';
import { DataSourceNode } from './data-source.ts';
import { parseUuid } from './global-id.ts';
import { requires } from './requires.ts';

type Readable = Extract<SyncPreview, { isReadable: true }>;

const PreviewSyncSuccess = builder.objectRef<SyncPreview>('PreviewSyncSuccess').implement({
  description:
    'What a FULL sync of a source without a filter and a limit would do now. Counts are of what your clearance covers.',
  fields: (t) => {
    const count = (name: keyof Readable & `${string}Count`, description: string) =>
      t.field({
        type: 'SafeInt',
        nullable: true,
        description: `${description}; null if the table cannot be read.`,
        resolve: (preview) => (preview.isReadable ? preview[name] : null),
      });
    return {
      isReadable: t.exposeBoolean('isReadable', { description: 'Whether the table could be read.' }),
      problem: t.string({
        nullable: true,
        description: 'Why it could not be read; null if it could.',
        resolve: (preview) => (preview.isReadable ? null : preview.message),
      }),
      insertedCount: count('insertedCount', 'Rows that would make new items, or bring deleted ones back'),
      updatedCount: count(
        'updatedCount',
        'Rows that would change the content, the marking or the source of their items',
      ),
      unchangedCount: count('unchangedCount', 'Rows whose items would stay as they are'),
      failedCount: count('failedCount', 'Rows that would fail before they are stored'),
      deletedCount: count('deletedCount', 'Items that would be deleted'),
      keptBecause: t.string({
        nullable: true,
        description:
          'Why items without a row would not be deleted, such as that they are too many; null if they would, or there are none.',
        resolve: (preview) => (preview.isReadable ? preview.keptBecause : null),
      }),
      dataSource: t.field({
        type: DataSourceNode,
        description: 'The source.',
        resolve: ({ source }) => source,
      }),
    };
  },
});

builder.mutationFields((t) => ({
  previewSync: t.field({
    authScopes: requires('operator'),
    nullable: true,
    type: PreviewSyncSuccess,
    description:
      'Reads the whole table of a source and counts what a FULL sync would insert, update and delete. Changes nothing. Takes as long as reading the table, at most five minutes.',
    args: {
      dataSourceId: t.arg.id({ required: true, description: 'The source.' }),
    },
    errors: {
      types: [InvalidInputError, DataSourceNotFoundError],
      union: { name: 'PreviewSyncResult', description: 'The result of previewing a sync.' },
    },
    resolve: (_root, { dataSourceId }, { jobs }) =>
      jobs.previewSync(parseUuid('DataSource', dataSourceId, 'dataSourceId')),
  }),
}));
