import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { createLog } from '../../src/application/log.ts';
import { loadProgram } from '../../src/config/load-program.ts';
import { createBlade } from '../../src/index.ts';
import { createPluginFolder } from '../support/plugin-folder.ts';
import { test as base } from '../support/without-database.ts';

/** A plug-in with a warehouse that is set up by FUEL_URL, with a secret. */
const DEPOT = `import { defineSettings, defineWarehouse, secret } from 'blade-ingestion';
  import { z } from 'zod';
  export default defineWarehouse({
    name: 'depot',
    settings: defineSettings({
      variables: {
        FUEL_URL: z.url({ error: 'must be a URL such as https://depot.example.com' }).optional().describe('Depot of the fuel.'),
        FUEL_PUMPS: z.coerce.number().int().max(9, { error: 'must be at most 9' }).default(4).describe('Pumps used at once.'),
        FUEL_TOKEN: secret(z.string().describe('Token of the depot.')).optional(),
      },
      toSettings: ({ FUEL_URL: url, FUEL_PUMPS: pumps }) => (url === undefined ? null : { url, pumps }),
    }),
    open: () => { throw new Error('there is no depot'); },
  });`;

const test = base
  .extend('plugins', ({ open }) => open(createPluginFolder()))
  .extend('depot', ({ plugins }) => plugins.write('depot.ts', DEPOT));

test('a wrong setting is named with its plug-in, what would work, and the settings of the plug-in', async ({
  depot,
}) => {
  await expect(
    loadProgram({ BLADE_PLUGINS: depot, FUEL_PUMPS: '12', FUEL_URL: 'depot', PORT: 'eighty' }),
  ).rejects.toThrow(`The environment is not usable:
  PORT: must be a whole number from 0 to 65535
  FUEL_URL: must be a URL such as https://depot.example.com (a setting of the plug-in ${depot})
  FUEL_PUMPS: must be at most 9 (a setting of the plug-in ${depot})
The settings of the plug-in ${depot}:
  FUEL_URL: Depot of the fuel.
  FUEL_PUMPS: Pumps used at once. (default: 4)
  FUEL_TOKEN: Token of the depot. (secret, or in the file that FUEL_TOKEN_FILE names)`);
});

test('a name that no part has is refused with the settings that there are', async ({ depot }) => {
  const blade = createBlade({ plugins: [depot], config: { FUEL_PUMP: '1', HOST: '127.0.0.1' } });
  await expect(blade.start()).rejects.toThrow(`The settings are not usable:
  FUEL_PUMP: there is no such setting; docs/configuration.md lists those of the program
The settings of the plug-in ${depot}:
  FUEL_URL: Depot of the fuel.`);
});

test('the whole environment can be passed on, though most of it is no setting', async () => {
  const blade = createBlade({ config: { ...process.env, BLADE_ROLES: 'nothing' } });
  await expect(blade.start()).rejects.toThrow('BLADE_ROLES: must be api, worker or api,worker');
});

test('a secret is kept out of the log, and may be in a file', async ({ depot, plugins }) => {
  const config = await loadProgram({
    BLADE_PLUGINS: depot,
    FUEL_URL: 'https://depot.example.com',
    FUEL_TOKEN_FILE: await plugins.write('token', 'hunter22\n'),
  });
  expect(config.effective).toMatchObject({ FUEL_TOKEN: 'set', FUEL_PUMPS: 4 });
  expect(config.warehouse).toMatchObject({ name: 'depot', settings: { pumps: 4 } });
  const lines: string[] = [];
  createLog(config, { write: (line) => void lines.push(line) }).info('the token is hunter22');
  expect(lines).toEqual([expect.stringContaining('the token is [redacted]')]);
});

test('two warehouses that are both set up are refused, and each is named with a setting of it', async ({
  depot,
  plugins,
}) => {
  const environment = { FUEL_URL: 'https://depot.example.com', FUEL_ROWS: '[{"gallons": 1}]' };
  await expect(loadProgram(environment, [depot, join(plugins.path, 'blade-fuel/index.ts')])).rejects.toThrow(
    'FUEL_ROWS: the warehouses depot and array are both set up: unset it or FUEL_URL',
  );
});

describe('a plug-in cannot', () => {
  test.for([
    [
      'have a setting that the program has',
      'PORT',
      'z.string().optional()',
      '() => null',
      /two parts.*PORT: rename/,
    ],
    [
      'have settings that no thread can receive',
      'FUEL_X',
      "z.string().default('x')",
      '() => ({ read: () => 1 })',
      /FUEL_X: the settings of the warehouse other must be plain data/,
    ],
  ] as const)('%s', async ([, name, schema, toSettings, message], { plugins }) => {
    const path = await plugins.write(
      'other.ts',
      `import { defineSettings, defineWarehouse } from 'blade-ingestion';
       import { z } from 'zod';
       export default defineWarehouse({
         name: 'other',
         settings: defineSettings({ variables: { ${name}: ${schema} }, toSettings: ${toSettings} }),
         open: () => null,
       });`,
    );
    await expect(loadProgram({ BLADE_PLUGINS: path })).rejects.toThrow(message);
  });
});
