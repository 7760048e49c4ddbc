import type { Catalog } from '../catalog/catalog.ts';
import type { CatalogDefinition } from '../catalog/catalog-definition.ts';
import { createDataTypes, type DataTypes } from '../data-types/data-types.ts';
import type { Choice } from '../shared/definition.ts';
import type { WarehouseConfiguration } from '../warehouse/settings.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import type { WarehouseDefinition } from '../warehouse/warehouse-definition.ts';
import { builtIn } from './built-in.ts';
import { type Plugin, type PluginDefinition, PluginError } from './plugin.ts';

/**
 * Everything that one program, or one of its threads, can choose from: what is built in and what its plug-ins add. Each
 * program has its own, so two in one process can have different plug-ins.
 */
export interface Registry {
  readonly plugins: readonly Plugin[];
  readonly dataTypes: DataTypes;
  /** The first is used if no other is set up. */
  readonly warehouses: readonly WarehouseDefinition[];
  /** The first is used if no other is set up. */
  readonly catalogs: readonly CatalogDefinition[];
  /** @throws WarehouseError UNAVAILABLE if it cannot be opened. */
  openWarehouse(configuration: WarehouseConfiguration): Promise<Warehouse>;
  /** Finds what the warehouse refuses in a SELECT that the check has accepted; null for nothing. */
  findStatementProblem(configuration: WarehouseConfiguration, sql: string): Promise<string | null>;
  /** @throws if the warehouse cannot be reached within the time, in milliseconds. */
  checkWarehouse(configuration: WarehouseConfiguration, timeoutMs: number): Promise<void>;
  /**
   * @param threads how many threads share the catalog's limits.
   * @throws CatalogError if it cannot be opened.
   */
  openCatalog(choice: Choice, threads: number): Promise<Catalog>;
}

/** @throws PluginError if a name is not usable, or given twice. */
export function createRegistry(plugins: readonly Plugin[]): Registry {
  checkNames(plugins);
  const all = [...builtIn, ...plugins.flatMap(({ definitions }) => definitions)];
  const warehouses = all.filter((definition) => definition.kind === 'warehouse');
  const catalogs = all.filter((definition) => definition.kind === 'catalog');
  return {
    plugins,
    dataTypes: createDataTypes(all.filter((definition) => definition.kind === 'data type')),
    warehouses,
    catalogs,
    openWarehouse: async ({ name, settings, statementTimeoutMs }) =>
      findChosen(warehouses, name).open(settings, { statementTimeoutMs }),
    findStatementProblem: async ({ name }, sql) =>
      (await findChosen(warehouses, name).findProblem?.(sql)) ?? null,
    async checkWarehouse({ name, settings }, timeoutMs) {
      await findChosen(warehouses, name).checkReachable?.(settings, timeoutMs);
    },
    openCatalog: async ({ name, settings }, threads) =>
      findChosen(catalogs, name).open(settings, { threads }),
  };
}

function findChosen<Named extends { readonly name: string }>(all: readonly Named[], name: string): Named {
  const found = all.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is nothing called ${name}`);
  return found;
}

function checkNames(plugins: readonly Plugin[]): void {
  const owners = new Map(builtIn.map((definition) => [toKey(definition), 'this program']));
  for (const plugin of plugins) {
    for (const definition of plugin.definitions) {
      const { kind, name } = definition;
      if (!NAME.test(name)) {
        const rule = 'use 1 to 50 lower-case letters, digits, "_" and "-", beginning with a letter';
        throw new PluginError(plugin, `${JSON.stringify(name)} is no name for a ${kind}; ${rule}.`);
      }
      const owner = owners.get(toKey(definition));
      if (owner !== undefined) {
        throw new PluginError(plugin, `${owner} already has a ${kind} called ${name}; rename one of them.`);
      }
      owners.set(toKey(definition), `the plug-in ${plugin.name}`);
    }
  }
}

const toKey = ({ kind, name }: PluginDefinition) => `${kind} ${name}`;

/** A part of names of files, items and metrics. */
const NAME = /^[a-z][a-z0-9_-]{0,49}$/;
