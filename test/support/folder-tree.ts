import { createHash } from 'node:crypto';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join, relative } from 'node:path';

/** Everything in a folder, by its path: what it is, its permissions, and a hash of its content. */
export async function readTree(folder: string): Promise<Record<string, string>> {
  const tree: Record<string, string> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const mode = ((await lstat(path)).mode & 0o777).toString(8);
    const content = entry.isFile() ? hash(await readFile(path)) : '';
    const target = entry.isSymbolicLink() ? await readlink(path) : '';
    tree[relative(folder, path)] = `${entry.isDirectory() ? 'folder' : 'file'} ${mode} ${content}${target}`;
  }
  return tree;
}

/** The paths of all files in a folder, in order. */
export async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory());
  return files.map((entry) => join(entry.parentPath, entry.name)).sort();
}

const hash = (content: Buffer) => createHash('sha256').update(content).digest('base64url');
