import { randomUUID } from 'node:crypto';
import { link, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { CatalogGeneration } from '../catalog.ts';
import { hasCode, isNotFound, syncFolder } from './file-system.ts';

/** Holds a random id that a folder gets once. A folder that was deleted and made again has another one. */
export const GENERATION_FILE = 'generation.json';

/** The names of files that are being written, or that a killed process left. */
export const TEMPORARY_NAME = /^\..*\.tmp$/;

/** Reads the generation of a folder; null if it has none that can be read. */
export async function readGenerationFile(folder: string): Promise<CatalogGeneration | null> {
  try {
    const text = await readFile(join(folder, GENERATION_FILE), 'utf8');
    return generationSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch (error) {
    if (isNotFound(error) || error instanceof SyntaxError) return null;
    throw error;
  }
}

/**
 * Reads the generation of a folder, and gives it one if it has none. All processes that do so at once get the same.
 * @param uploadsPath the list of its uploads.
 */
export async function loadGeneration(folder: string, uploadsPath: string): Promise<CatalogGeneration> {
  const present = await readGenerationFile(folder);
  if (present !== null) return present;
  const { size } = await stat(uploadsPath);
  const created: CatalogGeneration = { id: randomUUID(), wasEmpty: size === 0 };
  const temporaryPath = join(folder, `.${randomUUID()}.tmp`);
  const path = join(folder, GENERATION_FILE);
  try {
    const file = await open(temporaryPath, 'wx');
    try {
      await file.writeFile(`${JSON.stringify(created)}\n`);
      await file.datasync();
    } finally {
      await file.close();
    }
    // A link is never put over a file that another process was faster with.
    await link(temporaryPath, path).catch(async (error: unknown) => {
      const isUnreadable = (await readGenerationFile(folder)) === null;
      if (!hasCode(error, 'EEXIST') || isUnreadable) await rename(temporaryPath, path);
    });
  } finally {
    await rm(temporaryPath, { force: true });
  }
  await syncFolder(folder);
  return (await readGenerationFile(folder)) ?? created;
}

const generationSchema = z.object({ id: z.string().min(1).max(200), wasEmpty: z.boolean() });
