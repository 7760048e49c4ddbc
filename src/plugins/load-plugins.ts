import { existsSync } from 'node:fs';
import { resolve as resolvePath } from 'node:path';
import { pathToFileURL } from 'node:url';
import { resolve as resolveModule } from 'import-meta-resolve';
import { type Plugin, type PluginDefinition, PluginError, type PluginReference } from './plugin.ts';
import { createRegistry, type Registry } from './registry.ts';

/**
 * Finds the modules of plug-ins; each once, however often it is named.
 * @param specifiers paths, URLs of files, or names of installed packages, as a module in the folder would import them.
 * @param folder an absolute path.
 * @throws PluginError for a package that is not there.
 */
export function findPlugins(
  specifiers: readonly (string | URL)[],
  folder: string,
): readonly PluginReference[] {
  const references = specifiers.map((specifier) => ({
    name: String(specifier),
    url: findModule(String(specifier), folder),
  }));
  return [...new Map(references.map((reference) => [reference.url, reference])).values()];
}

function findModule(specifier: string, folder: string): string {
  if (specifier.startsWith('file:')) return specifier;
  if (/^(\.{0,2}[\\/]|[A-Za-z]:)/.test(specifier)) return pathToFileURL(resolvePath(folder, specifier)).href;
  const url = findPackage(specifier, folder);
  if (url?.startsWith('file:')) return url;
  const advice = `install the package ${specifier} there, or name a file by a path such as ./${specifier}.ts`;
  throw new PluginError(
    { name: specifier },
    `no package of that name can be imported from ${folder}: ${advice}.`,
  );
}

/** Finds what a module in the folder would import by the name of a package; null if it could not. */
function findPackage(specifier: string, folder: string): string | null {
  try {
    return resolveModule(specifier, pathToFileURL(`${folder}/`).href);
  } catch {
    return null;
  }
}

/**
 * Imports plug-ins and registers what they add beside what is built in.
 * @throws PluginError if one cannot be used.
 */
export async function loadRegistry(references: readonly PluginReference[]): Promise<Registry> {
  return createRegistry(await Promise.all(references.map(loadPlugin)));
}

async function loadPlugin(reference: PluginReference): Promise<Plugin> {
  const { url } = reference;
  if (!existsSync(new URL(url))) {
    const problem = `there is no module ${url}. Paths are resolved from the working directory.`;
    throw new PluginError(reference, problem);
  }
  const module: Readonly<Record<string, unknown>> = await import(url).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PluginError(reference, `it failed while it was loaded: ${reason}`, { cause: error });
  });
  if (module.default === undefined) throw new PluginError(reference, `it has no default export. ${EXPORTS}`);
  const definitions: readonly unknown[] = [module.default].flat();
  return {
    ...reference,
    definitions: definitions.map((definition, index) => {
      if (isDefinition(definition)) return definition;
      const place = Array.isArray(module.default)
        ? `item ${index} of its default export`
        : 'its default export';
      throw new PluginError(reference, `${place} is something else. ${EXPORTS}`);
    }),
  };
}

const EXPORTS =
  'A plug-in exports by default what defineDataType, defineWarehouse or defineCatalog returned, or a list of these.';

const KINDS: ReadonlySet<unknown> = new Set<PluginDefinition['kind']>(['data type', 'warehouse', 'catalog']);

function isDefinition(value: unknown): value is PluginDefinition {
  return typeof value === 'object' && value !== null && 'kind' in value && KINDS.has(value.kind);
}
