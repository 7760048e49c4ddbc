// npm run bench [-- --only fan-out,jobs-page] [--quick] [--large]: every measure, one after the other, in one table.
import { writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { describeServer } from './support/database.ts';
import { isReached, load, logProgress, type Measure, type Result, toRatio } from './support/measure.ts';
import { printTable } from './support/report.ts';

const MEASURES: Readonly<Record<string, () => Promise<Measure>>> = {
  'whole-sync': () => import('./whole-sync.ts'),
  'fan-out': () => import('./fan-out.ts'),
  feeds: () => import('./feeds.ts'),
  'query-jobs': () => import('./query-jobs.ts'),
  'jobs-page': () => import('./jobs-page.ts'),
  history: () => import('./history.ts'),
  'catalog-uploads': () => import('./catalog-uploads.ts'),
  'large-rows': () => import('./large-rows.ts'),
  'small-sources': () => import('./small-sources.ts'),
  'api-during-sync': () => import('./api-during-sync.ts'),
  items: () => import('./items.ts'),
  start: () => import('./start.ts'),
  weight: () => import('./weight.ts'),
  spark: () => import('./spark.ts'),
};

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    large: { type: 'boolean', default: false },
  },
});
const names = options.only?.split(',') ?? Object.keys(MEASURES);

interface Section {
  readonly name: string;
  readonly loadBefore: string;
  readonly loadAfter: string;
  readonly results: readonly Result[];
}

const machine = {
  node: process.version,
  processors: `${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown'}`,
  memoryGigabytes: Math.round(totalmem() / 2 ** 30),
  server: await describeServer(),
};
// Results that stand side by side are from one run, and a quick run measures nothing that is worth keeping.
const keepsResults = !options.quick && options.only === undefined;
const COLUMNS = ['measure', 'unit', 'value', 'peer', 'of peer', 'ratio', 'goal', 'reached'];

const sections: Section[] = [];
for (const name of names) {
  const open = MEASURES[name];
  if (open === undefined) throw new Error(`no ${name}; there are ${Object.keys(MEASURES).join(', ')}`);
  logProgress(name);
  const loadBefore = load();
  try {
    const { measure } = await open();
    sections.push({ name, loadBefore, results: await measure(options), loadAfter: load() });
    // After each, because all of them take an hour.
    if (keepsResults) await writeFile(new URL('./results.md', import.meta.url), toMarkdown(sections));
  } catch (error) {
    // The others are measured all the same.
    process.exitCode = 1;
    process.stderr.write(`${name} failed: ${error instanceof Error ? error.stack : String(error)}\n`);
  }
}

printTable(
  COLUMNS,
  sections.flatMap(({ results }) => results.map(toCells)),
);

function toCells(result: Result): string[] {
  const { measure, unit, value, peer, goal } = result;
  const reached = isReached(result);
  const ratio = toRatio(result);
  return [
    ...[measure, unit, short(value), peer?.name ?? '', peer === null ? '' : short(peer.value)],
    ratio === null ? '' : `${ratio.toFixed(2)} ×`,
    goal === null ? '' : `${goal.at === 'least' ? '≥' : '≤'} ${goal.bound}${goal.of === 'ratio' ? ' ×' : ''}`,
    reached === null ? '' : reached ? 'yes' : 'no',
  ];
}

function short(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}

function toMarkdown(measured: readonly Section[]): string {
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  const { processors, memoryGigabytes, node, server } = machine;
  const head =
    `# Results\n\nBy \`npm run bench\`, on ${processors}, ${memoryGigabytes} GB, Node.js ${node}, PostgreSQL ` +
    `${server.server_version} on the same machine. How each number ` +
    `is made: [README.md](README.md).\n`;
  const tables = measured.map(
    ({ name, loadBefore, loadAfter, results }) =>
      `\n## ${name}\n\nLoad average ${loadBefore} before, ${loadAfter} after.\n\n` +
      row(COLUMNS) +
      row(COLUMNS.map(() => '---')) +
      results.map((result) => row(toCells(result))).join(''),
  );
  return head + tables.join('');
}
