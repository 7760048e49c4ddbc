import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { loadProgram } from '../../src/config/load-program.ts';
import { PluginError } from '../../src/plugins/plugin.ts';
import { createRegistry } from '../../src/plugins/registry.ts';
import { createPluginFolder, FUEL_ROWS, toUrl } from '../support/plugin-folder.ts';
import { test as base } from '../support/without-database.ts';

const test = base
  .extend('plugins', ({ open }) => open(createPluginFolder()))
  /** Loads a plug-in with this source. @returns its path and what is wrong with it. */
  .extend('refuse', ({ plugins }) => async (source: string, name = 'plugin.ts') => {
    const path = await plugins.write(name, source);
    const error = await loadProgram({}, [path]).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(PluginError);
    return { path, message: error instanceof Error ? error.message : '' };
  });

const FUEL = `import { defineDataType } from 'blade-ingestion';
  export const fuel = (name) => defineDataType({
    name, description: 'Fuel.', defaultMarking: 'U', identifyingColumns: ['item_id'], columns: { item_id: 'text' },
  });`;

describe('a plug-in adds its data types and its warehouse', () => {
  const environment = { FUEL_ROWS: JSON.stringify(FUEL_ROWS) };

  async function expectExample(loading: ReturnType<typeof loadProgram>): Promise<void> {
    const { registry, warehouse } = await loading;
    expect(registry.dataTypes.names).toEqual([...createRegistry([]).dataTypes.names, 'fuel']);
    expect(warehouse).toMatchObject({ name: 'array', settings: { rows: FUEL_ROWS } });
  }

  test('from a path', async ({ plugins }) => {
    await expectExample(loadProgram(environment, [join(plugins.path, 'blade-fuel/index.ts')]));
  });

  test('from a URL', async ({ plugins }) => {
    const url = toUrl(join(plugins.path, 'blade-fuel/index.ts'));
    await expectExample(loadProgram(environment, [new URL(url)]));
  });

  test('from a path in BLADE_PLUGINS, once however often it is named', async ({ plugins }) => {
    const path = join(plugins.path, 'blade-fuel/index.ts');
    await expectExample(loadProgram({ ...environment, BLADE_PLUGINS: `${path}, ${path}` }, [toUrl(path)]));
  });

  test('and the folder warehouse stays, unless the settings of the plug-in are set', async ({ plugins }) => {
    const { warehouse } = await loadProgram({}, [join(plugins.path, 'blade-fuel/index.ts')]);
    expect(warehouse.name).toBe('duckdb');
  });
});

describe('a plug-in is refused by its name, with what would work', () => {
  test('if there is no module', async () => {
    await expect(loadProgram({ BLADE_PLUGINS: './nothing.ts' })).rejects.toThrow(
      /^The plug-in \.\/nothing\.ts cannot be used: there is no module file:.*\/nothing\.ts\. Paths are resolved from the working directory\.$/,
    );
  });

  test('if there is no package', async () => {
    await expect(loadProgram({ BLADE_PLUGINS: 'blade-nothing' })).rejects.toThrow(
      `The plug-in blade-nothing cannot be used: no package of that name can be imported from ${process.cwd()}: install the package blade-nothing there, or name a file by a path such as ./blade-nothing.ts.`,
    );
  });

  test('if a module that it imports is missing', async ({ refuse }) => {
    const { path, message } = await refuse("import './missing.ts';");
    expect(message).toContain(`The plug-in ${path} cannot be used: it failed while it was loaded:`);
    expect(message).toContain('missing.ts');
  });

  test('if it throws', async ({ refuse }) => {
    const { message } = await refuse("throw new Error('no fuel today');");
    expect(message).toContain('it failed while it was loaded: no fuel today');
  });

  test('if it has no default export', async ({ refuse }) => {
    const { path, message } = await refuse(`${FUEL} export const one = fuel('fuel');`);
    expect(message).toBe(
      `The plug-in ${path} cannot be used: it has no default export. A plug-in exports by default what defineDataType, defineWarehouse or defineCatalog returned, or a list of these.`,
    );
  });

  test.for([
    ["export default { name: 'fuel' };", 'its default export is something else.'],
    [`${FUEL} export default [fuel('fuel'), 3];`, 'item 1 of its default export is something else.'],
  ] as const)('if it exports something else: %s', async ([source, problem], { refuse }) => {
    expect((await refuse(source)).message).toContain(problem);
  });

  test('if it has a name that the program has', async ({ refuse }) => {
    const { message } = await refuse(`${FUEL} export default fuel('sortie');`);
    expect(message).toContain('this program already has a data type called sortie; rename one of them.');
  });

  test('if another plug-in has the name', async ({ plugins, refuse }) => {
    const first = await plugins.write('first.ts', `${FUEL} export default fuel('fuel');`);
    const { path } = await refuse(`${FUEL} export default [fuel('fuel'), fuel('fuel')];`);
    await expect(loadProgram({}, [first, path])).rejects.toThrow(
      `The plug-in ${path} cannot be used: the plug-in ${first} already has a data type called fuel; rename one of them.`,
    );
  });

  test.for(['Fuel', '', '1st', 'a/b', '../x', 'x'.repeat(51)])(
    'if a name is %j',
    async (name, { refuse }) => {
      const { message } = await refuse(`${FUEL} export default fuel(${JSON.stringify(name)});`);
      expect(message).toContain(`${JSON.stringify(name)} is no name for a data type; use 1 to 50 lower-case`);
    },
  );
});
