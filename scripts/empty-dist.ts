// Part of npm run build: removes what earlier builds compiled, so that the package has no module that is gone. The dashboard's
// folder is emptied by its own build.
import { readdir, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../dist/', import.meta.url));
const names = await readdir(folder).catch(() => []);
for (const name of names) {
  if (name !== 'dashboard') await rm(`${folder}${name}`, { recursive: true, force: true });
}
