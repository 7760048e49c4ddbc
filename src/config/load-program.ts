import { findPlugins, loadRegistry } from '../plugins/load-plugins.ts';
import { pluginSettings } from '../plugins/settings.ts';
import { type Config, loadConfig } from './config.ts';
import { type Environment, loadSettings } from './load.ts';

/**
 * Loads the plug-ins that an environment names, and then all settings from it.
 * @param plugins modules of more plug-ins.
 * @throws PluginError or ConfigError, whose messages say what is wrong and what would work.
 */
export async function loadProgram(
  environment: Environment,
  plugins: readonly (string | URL)[] = [],
): Promise<Config> {
  const { settings } = loadSettings({ named: pluginSettings }, environment);
  const references = findPlugins([...settings.named, ...plugins], process.cwd());
  return loadConfig(environment, await loadRegistry(references));
}
