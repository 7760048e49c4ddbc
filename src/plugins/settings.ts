import { z } from 'zod';
import { defineSettings, splitList } from '../shared/settings.ts';

export const pluginSettings = defineSettings({
  variables: {
    BLADE_PLUGINS: z
      .string()
      .default('')
      .transform(splitList)
      .describe(
        'Modules that add data types, warehouses and catalogs: paths, or names of installed packages, as in `./fuel.ts,blade-fuel`.',
      ),
  },
  toSettings: ({ BLADE_PLUGINS: specifiers }) => specifiers,
});
