// npm run schema: writes schema.graphql anew from src/api.
import { writeFile } from 'node:fs/promises';
import { printApiSchema } from '../src/api/schema/print-schema.ts';

await writeFile(new URL('../schema.graphql', import.meta.url), printApiSchema());
