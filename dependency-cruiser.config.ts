import type { IConfiguration } from 'dependency-cruiser';

/**
 * The rooms of src, level by level from the top: a file imports from its own room and from lower levels, and there is no
 * cycle. A room is a file or a folder without the rooms in it that are listed themselves. docs/architecture.md shows the
 * same, and a test compares the two.
 */
export const levels: readonly (readonly string[])[] = [
  ['blade-ingestion.ts'],
  ['main.ts', 'keys.ts', 'backups.ts', 'index.ts', 'testing.ts'],
  ['blade.ts', 'testing/'],
  ['application/'],
  ['config/'],
  ['api/http/'],
  ['api/schema/', 'api/limits/'],
  ['api/context.ts', 'api/page-size.ts'],
  ['jobs/'],
  ['sources/'],
  ['observability/', 'health/', 'backup/'],
  ['ingestion/'],
  ['items/'],
  ['access/'],
  ['plugins/'],
  ['catalog/', 'warehouse/'],
  [
    'catalog/folder/',
    'catalog/http/',
    'warehouse/databricks/',
    'warehouse/spark-connect/',
    'warehouse/duckdb/',
    'warehouse/demo/',
  ],
  ['warehouse/spark-sql/'],
  ['catalog/catalog-definition.ts', 'warehouse/warehouse-definition.ts'],
  ['catalog/catalog.ts', 'catalog/catalog-error.ts', 'sql-check/'],
  [
    'warehouse/warehouse.ts',
    'warehouse/value.ts',
    'warehouse/abort.ts',
    'warehouse/distinct-names.ts',
    'warehouse/statement-tag.ts',
  ],
  ['database/'],
  ['data-types/'],
  ['shared/'],
];

/** Programs that talk to the server over its API, and their operations: they share nothing with it but `shared`. */
export const clients: readonly string[] = ['command-line/', 'dashboard/', 'operations/'];

const rooms = levels.flat();

function toPattern(room: string): string {
  const inner = rooms.filter((other) => other !== room && other.startsWith(room));
  const without = inner.map((other) => RegExp.escape(other.slice(room.length))).join('|');
  return `^src/${RegExp.escape(room)}${room.endsWith('/') ? '' : '$'}${without === '' ? '' : `(?!${without})`}`;
}

const config: IConfiguration = {
  forbidden: [
    { name: 'no cycles', severity: 'error', from: {}, to: { circular: true } },
    ...levels.flatMap((level, depth) =>
      level.map((room) => ({
        name: `${room} imports only from lower levels`,
        severity: 'error' as const,
        from: { path: toPattern(room) },
        to: {
          path: ['^src/'],
          pathNot: [room, ...levels.slice(depth + 1).flat()].map(toPattern),
        },
      })),
    ),
    ...clients.map((client) => ({
      name: `${client} is a client: it imports nothing of the server but shared`,
      severity: 'error' as const,
      from: { path: toPattern(client) },
      to: { path: '^src/', pathNot: [client, 'shared/'].map(toPattern) },
    })),
    {
      name: 'every file belongs to a room of dependency-cruiser.config.ts',
      severity: 'error',
      from: { path: '^src/', pathNot: [...rooms, ...clients].map(toPattern) },
      to: {},
    },
  ],
  options: {
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '/generated/' },
  },
};

export default config;
