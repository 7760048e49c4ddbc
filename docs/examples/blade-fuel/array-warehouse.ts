import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  defineSettings,
  defineWarehouse,
  openFolderWarehouse,
  type ReadingLimits,
  type Row,
  type Warehouse,
} from 'blade-ingestion';
import { z } from 'zod';

const rowsSchema = z.array(z.record(z.string(), z.json())).min(1);

export const arrayWarehouse = defineWarehouse({
  name: 'array',
  settings: defineSettings({
    variables: {
      FUEL_ROWS: z
        .string()
        .transform((text, context) => {
          const { data } = z.preprocess(parseJson, rowsSchema).safeParse(text);
          if (data !== undefined) return data;
          context.addIssue({
            code: 'custom',
            message: 'must be a JSON array of rows, as in [{"gallons": 820}]',
          });
          return z.NEVER;
        })
        .optional()
        .describe(
          'Rows of the table `blade.field.fuel`, as a JSON array. Another warehouse is used if this is not set.',
        ),
    },
    toSettings: ({ FUEL_ROWS: rows }) => (rows === undefined ? null : { rows }),
  }),
  open: ({ rows }, limits) => openArrayWarehouse(new Map([['fuel', rows]]), limits),
});

/**
 * Opens arrays of rows as the tables of `blade.field`. SQL is left to the warehouse of files that is built in.
 * @param tables by their names; one that is replaced is read anew by the next statement.
 */
export async function openArrayWarehouse(
  tables: ReadonlyMap<string, readonly Row[]>,
  limits: ReadingLimits,
): Promise<Warehouse> {
  const folder = await mkdtemp(join(tmpdir(), 'blade-array-'));
  const schema = join(folder, 'blade', 'field');
  await mkdir(schema, { recursive: true });
  const files = await openFolderWarehouse({ folder, ...limits });
  const written = new Map<string, readonly Row[]>();

  async function current(): Promise<Warehouse> {
    for (const [name, rows] of tables) {
      if (written.get(name) === rows) continue;
      await writeFile(join(schema, `${name}.ndjson`), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
      written.set(name, rows);
    }
    return files;
  }

  return {
    describeTable: async (...given) => (await current()).describeTable(...given),
    // Each thread writes other files, whose versions would differ.
    findVersion: async () => null,
    countUnreadable: async () => 0,
    countRows: async (...given) => (await current()).countRows(...given),
    readRows: async (...given) => (await current()).readRows(...given),
    async close() {
      await files.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function parseJson(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    return undefined;
  }
}
