import type { CatalogDefinition } from '../catalog/catalog-definition.ts';
import type { DataType } from '../data-types/data-type.ts';
import type { WarehouseDefinition } from '../warehouse/warehouse-definition.ts';

/** What a plug-in can add. */
export type PluginDefinition = DataType | WarehouseDefinition | CatalogDefinition;

/** Where the module of a plug-in is. Plain data, so that each thread can import it. */
export interface PluginReference {
  /** As it was given, for messages. */
  readonly name: string;
  readonly url: string;
}

/** A plug-in whose module is loaded. */
export interface Plugin extends PluginReference {
  readonly definitions: readonly PluginDefinition[];
}

/** A plug-in cannot be used: the message says which, why, and what would work. */
export class PluginError extends Error {
  override readonly name = 'PluginError';

  constructor({ name }: Pick<PluginReference, 'name'>, problem: string, options?: ErrorOptions) {
    super(`The plug-in ${name} cannot be used: ${problem}`, options);
  }
}
