import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installPackage, packCheckout, root, run } from '../scripts/packed-package.ts';
import { measureDiskMegabytes } from './support/disk.ts';
import { logProgress, type MeasureOptions, type Result, valueAtMost } from './support/measure.ts';
import { checkIsBuilt } from './support/program.ts';

// What the product takes on a disk: installed by a user, in the image, and as a clone to work in.

export async function measure({ quick }: MeasureOptions): Promise<readonly Result[]> {
  checkIsBuilt();
  const folder = await mkdtemp(join(tmpdir(), 'blade-bench-'));
  try {
    return [...(await measureInstall(folder)), ...(quick ? [] : await measureClone(folder))];
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Installs the packed checkout into an empty folder, as a user does who runs it. */
async function measureInstall(folder: string): Promise<readonly Result[]> {
  const installed = join(folder, 'installed');
  await mkdir(installed);
  await writeFile(join(installed, 'package.json'), '{ "private": true }\n');
  installPackage(installed, packCheckout(folder).path, ['--omit=dev']);
  logProgress('  the package is installed');
  const modules = join(installed, 'node_modules');
  const { packages } = JSON.parse(await readFile(join(modules, '.package-lock.json'), 'utf8')) as {
    packages: object;
  };
  const facts = { peer: null };
  return [
    {
      ...facts,
      measure: 'installed by a user',
      unit: 'MB',
      value: measureDiskMegabytes(modules),
      goal: valueAtMost(200),
    },
    {
      ...facts,
      measure: 'installed by a user',
      unit: 'packages',
      value: Object.keys(packages).length,
      goal: null,
    },
  ];
}

/** What the Dockerfile copies into the image. */
const IMAGE = ['package.json', 'node_modules', 'prisma', 'demo', 'dist'];

/** Clones the last commit and installs and builds it; then removes what only a build needs, as the Dockerfile does. */
async function measureClone(folder: string): Promise<readonly Result[]> {
  const clone = join(folder, 'clone');
  run('git', ['clone', '--quiet', root, clone], folder);
  run('npm', ['ci', '--prefer-offline', '--no-audit', '--no-fund'], clone);
  logProgress('  the clone is installed');
  const facts = { peer: null };
  const whole = measureDiskMegabytes(clone);
  run('npm', ['prune', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund'], clone);
  const image = measureDiskMegabytes(...IMAGE.map((name) => join(clone, name)));
  return [
    { ...facts, measure: 'the image without Node.js', unit: 'MB', value: image, goal: valueAtMost(250) },
    { ...facts, measure: 'a clone after npm ci', unit: 'MB', value: whole, goal: valueAtMost(700) },
  ];
}
