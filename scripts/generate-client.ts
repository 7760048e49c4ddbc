// Part of npm run generate: writes Prisma's client and the types for Pothos, as `prisma generate` does, whose package would bring
// 160 MB of studio, servers and drivers.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

type Generators = typeof import('@prisma/client-generator-ts', { with: { 'resolution-mode': 'require' }});
type Internals = typeof import('@prisma/internals', { with: { 'resolution-mode': 'require' }});

// Their ES modules import files without extensions, which Node.js does not find.
const require = createRequire(import.meta.url);
const { PrismaClientTsGenerator }: Generators = require('@prisma/client-generator-ts');
const { getGenerators, loadSchemaContext }: Internals = require('@prisma/internals');

const schema = fileURLToPath(new URL('../prisma/schema.prisma', import.meta.url));
const generators = await getGenerators({
  schemaContext: await loadSchemaContext({ schemaPath: { cliProvidedPath: schema } }),
  registry: { 'prisma-client': { type: 'in-process', generator: new PrismaClientTsGenerator() } },
  skipDownload: true,
  cliCommand: 'generate',
});
try {
  for (const generator of generators) await generator.generate();
} finally {
  for (const generator of generators) generator.stop();
}
