import { join, resolve } from 'node:path';
import { z } from 'zod';
import { findUrlSecrets } from '../shared/secrets.ts';
import { defineSettings, secret } from '../shared/settings.ts';
import { SESSION_SETTING_NAMES } from './connection.ts';
import { findUrlProblems } from './connection-url.ts';

/** The folder for all data without a separate setting: an absolute path. */
export const dataFolderSettings = defineSettings({
  variables: {
    BLADE_DATA_FOLDER: z
      .string()
      .default('.blade')
      .describe('Folder of the embedded database, the folder warehouse and the folder catalog.'),
  },
  toSettings: ({ BLADE_DATA_FOLDER: folder }) => resolve(folder),
});

export const databaseSettings = defineSettings({
  variables: {
    DATABASE_URL: secret(
      z
        .url({
          protocol: /^postgres(ql)?$/,
          error: 'must be a URL such as postgresql://user@host:5432/database',
        })
        .optional()
        .describe('PostgreSQL server. The embedded database is used if this is not set.'),
      findUrlSecrets,
    ),
  },
  needs: { dataFolder: dataFolderSettings },
  check({ DATABASE_URL: url }, _needed, refuse) {
    if (url === undefined) return;
    for (const problem of findUrlProblems(url, SESSION_SETTING_NAMES)) refuse('DATABASE_URL', problem);
  },
  toSettings: ({ DATABASE_URL: url }, { dataFolder }) => ({
    /** A PostgreSQL server's; without it, the embedded database is used. */
    url,
    /** The folder of all embedded parts, unless a setting names another one. */
    dataFolder,
    /** The folder of the embedded database. */
    folder: join(dataFolder, 'database'),
  }),
});
