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
    JSONObject: 'Record<string, unknown>',
  },
};

/** Typed operations: `graphql(...)` of each generated folder knows the types of each operation that the code holds. */
const codegen: CodegenConfig = {
  schema: 'schema.graphql',
  ignoreNoDocuments: true,
  generates: {
    'test/generated/': {
      documents: ['test/**/*.ts', '!test/generated/**'],
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: { ...config, documentMode: 'string' },
    },
    'src/command-line/generated/': {
      documents: ['src/command-line/**/*.ts', '!src/command-line/generated/**'],
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: { ...config, documentMode: 'string' },
    },
    'src/dashboard/generated/': {
      documents: ['src/dashboard/**/*.{ts,tsx}', '!src/dashboard/generated/**'],
      preset: 'client',
      presetConfig: { fragmentMasking: { unmaskFunctionName: 'readFragment' } },
      // Apollo Client's cache asks for every `__typename`, so the types may tell of them.
      documentTransforms: [addTypenameSelectionDocumentTransform],
      config,
    },
    'src/dashboard/generated/possible-types.ts': {
      plugins: ['./scripts/possible-types.ts'],
    },
  },
};

export default codegen;
