import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/** Builds the dashboard into the static files that the server serves at `/`. */
export default defineConfig({
  root: 'src/dashboard',
  plugins: [generatedDocuments(), react(), compressed()],
  build: {
    outDir: '../../dist/dashboard',
    emptyOutDir: true,
    target: 'baseline-widely-available',
    // Inlined files would need `data:` in the content security policy.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 600,
    rolldownOptions: {
      output: {
        codeSplitting: {
          // Libraries change seldom, so browsers keep them over our releases; a plot and forms are not needed at first.
          groups: [
            { name: 'libraries', test: /node_modules\/(?!uplot)/, priority: 3 },
            {
              name: 'shared',
              test: /src\/dashboard\/(generated|format|api|shell|parts\/(?!form|markings)|jobs\/(job-title|job-feed|throughput\.))/,
              priority: 2,
            },
            { name: 'details', test: /src\/dashboard\/(actions|details)/, priority: 1 },
            { name: 'forms', test: /src\/dashboard\/(start|sources|items|parts\/(form|markings))/ },
          ],
        },
      },
    },
  },
  // `npx vite` serves the dashboard from its sources, on the API of `npm start`.
  server: { proxy: { '/graphql': { target: 'http://127.0.0.1:4000', ws: true } } },
});

/**
 * Puts the generated document in the place of each `graphql(...)`. Left as it is, every page would carry every operation
 * of the dashboard, as text and once more parsed, for it to be looked up in while the page loads.
 */
function generatedDocuments(): Plugin {
  const folder = join(import.meta.dirname, 'src/dashboard');
  const operation = /\bgraphql\(`\s*(fragment|query|mutation|subscription) (\w+)[^`]*`\)/g;
  return {
    name: 'generated-documents',
    enforce: 'pre',
    transform(code, id) {
      if (!id.startsWith(folder) || id.includes('/generated/') || !code.includes('graphql(`')) return null;
      const names = new Set<string>();
      const replaced = code.replaceAll(operation, (_call, kind: string, name: string) => {
        const document = `${name}${kind === 'fragment' ? 'FragmentDoc' : 'Document'}`;
        names.add(document);
        return document;
      });
      const generated = JSON.stringify(join(folder, 'generated/graphql.ts'));
      return `import { ${[...names].join(', ')} } from ${generated};\n${replaced}`;
    },
  };
}

/** Lays a brotli and a gzip form beside each text file, so that the server never compresses. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    async writeBundle({ dir }) {
      if (dir === undefined) return;
      const files = await readdir(dir, { recursive: true });
      await Promise.all(
        files
          .filter((file) => /\.(js|css|html|svg)$/.test(file))
          .map(async (file) => {
            const path = join(dir, file);
            const content = await readFile(path);
            await writeFile(`${path}.gz`, await promisify(gzip)(content, { level: 9 }));
            await writeFile(
              `${path}.br`,
              await promisify(brotliCompress)(content, {
                params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY },
              }),
            );
          }),
      );
    },
  };
}
