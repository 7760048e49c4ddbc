import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type MeasureOptions, type Result, ratioAtLeast, ratioAtMost } from './support/measure.ts';
import { median } from './support/report.ts';

// A whole sync beside the bare upsert of the same rows and the seed's algorithm, and how its cost grows. Measured by
// bench/sync.ts, which also prints what the numbers are made of.

interface Measurement {
  readonly rowsPerSecond: number;
  readonly peakBytes?: number;
}

export async function measure({ quick, large }: MeasureOptions): Promise<readonly Result[]> {
  const rows = quick ? 10_000 : 1_000_000;
  const main = await runSync(rows, quick ? 1 : 3, 'bare,one,two,seed', quick ? 2_000 : 100_000);
  const bare = { name: 'bare unnest upsert', value: main.rate('bare unnest upsert') };
  const [one, two] = [main.rate('sync, 1 partition'), main.rate('sync, 2 partitions')];
  const amount = rows.toLocaleString('en');
  const rate = (measure: string, value: number, peer: Result['peer'], bound: number): Result => ({
    ...{ measure: `${measure}, ${amount} rows`, unit: 'rows/s', value, peer, goal: ratioAtLeast(bound) },
  });
  const results = [
    rate('whole sync, 1 partition', one, bare, 0.9),
    rate('whole sync, 2 partitions', two, bare, 1),
    rate(
      'whole sync, 1 partition',
      one,
      { name: "seed's algorithm", value: main.rate("seed's algorithm") },
      30,
    ),
    rate('unchanged data again', main.rate('again, 1 partition'), { name: 'first sync', value: one }, 3),
  ];
  const sizes = quick ? [1_000] : [10_000, 100_000, ...(large ? [3_000_000] : [])];
  for (const size of sizes) {
    const { rate: findRate } = await runSync(size, 1, 'one');
    // A row is to cost no more in a larger sync than in a smaller one.
    const [smaller, larger] =
      size < rows ? [findRate('sync, 1 partition'), one] : [one, findRate('sync, 1 partition')];
    results.push({
      measure: `time a row, ${Math.max(size, rows).toLocaleString('en')} rows`,
      unit: 'µs',
      value: 1e6 / larger,
      peer: { name: `${Math.min(size, rows).toLocaleString('en')} rows`, value: 1e6 / smaller },
      goal: ratioAtMost(1),
    });
  }
  if (large) {
    const [small, whole] = [await runSync(300_000, 1, 'one'), await runSync(3_000_000, 1, 'one')];
    results.push({
      measure: 'peak resident memory, 3,000,000 rows',
      unit: 'MB',
      value: whole.peakMegabytes('again, 1 partition'),
      peer: { name: '300,000 rows', value: small.peakMegabytes('again, 1 partition') },
      goal: ratioAtMost(1.1),
    });
  }
  return results;
}

/** @param warmUpRows how many rows a program syncs before it is measured. */
async function runSync(rows: number, rounds: number, only: string, warmUpRows = 0) {
  const path = fileURLToPath(new URL('./sync.ts', import.meta.url));
  const numbers = { rows, rounds, 'warm-up-rows': warmUpRows };
  const parameters = Object.entries(numbers).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn(process.execPath, [path, ...parameters, '--only', only], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`bench/sync.ts ended with ${code}`);
  const { measurements } = JSON.parse(
    await readFile(new URL('./results/sync.json', import.meta.url), 'utf8'),
  ) as { measurements: Record<string, Measurement[]> };
  const of = (name: string, read: (measurement: Measurement) => number) =>
    median((measurements[name] ?? []).map(read));
  return {
    rate: (name: string) => of(name, ({ rowsPerSecond }) => rowsPerSecond),
    peakMegabytes: (name: string) => of(name, ({ peakBytes = Number.NaN }) => peakBytes / 2 ** 20),
  };
}
