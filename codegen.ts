import type { CodegenConfig } from '@graphql-codegen/cli';
import { addTypenameSelectionDocumentTransform } from '@graphql-codegen/client-preset';

const config = {
  enumType: 'string-literal',
  enumsAsTypes: true,
  useTypeImports: true,
  importExtension: '.ts',
  scalars: {
    DateTime: 'string',
    JSON: 'unknown',
    SafeInt: 'number',
    JSONObject: 'Record<string, unknown>',
  },
};

/** How the command line and the tests, which send an operation as text, get it. */
const texts = {
  preset: 'client',
  presetConfig: { fragmentMasking: false },
  config: { ...config, documentMode: 'string' },
} as const;

/** The types of each client's operations: `StartSyncDocument` of a generated folder is `mutation StartSync` with its types. */
const codegen: CodegenConfig = {
  schema: 'schema.graphql',
  ignoreNoDocuments: true,
  generates: {
    'src/command-line/generated/': { documents: 'src/operations/*.graphql', ...texts },
    'test/generated/': { documents: ['src/operations/*.graphql', 'test/support/*.graphql'], ...texts },
    'src/dashboard/generated/': {
      documents: ['src/dashboard/**/*.{ts,tsx}', '!src/dashboard/generated/**'],
      preset: 'client',
      presetConfig: { fragmentMasking: { unmaskFunctionName: 'readFragment' } },
      // Apollo Client's cache asks for every `__typename`, so the types include them.
      documentTransforms: [addTypenameSelectionDocumentTransform],
      config,
    },
    'src/dashboard/generated/possible-types.ts': {
      plugins: ['./scripts/possible-types.ts'],
    },
  },
};

export default codegen;
