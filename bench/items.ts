import { createBenchDatabase } from './support/database.ts';
import { sendMany } from './support/http-load.ts';
import { growItems, ITEM_PREFIXES } from './support/items.ts';
import { logProgress, type MeasureOptions, type Result, valueAtMost } from './support/measure.ts';
import { startMeasuredProgram } from './support/program.ts';
import { median } from './support/report.ts';

// What a list of many items costs: its first page, and those by the beginning of an item's id, all with their count.

const PAGE = `query ($filter: ItemFilter) { items(filter: $filter, first: 20) {
  totalCount isTotalCountExact pageInfo { hasNextPage endCursor }
  edges { cursor node { id dataType itemId classificationMarking updatedAt uploadedAt dataSource { id name } data } } } }`;

const LISTS = [
  { name: 'first page', filter: {} },
  { name: 'first page by a frequent prefix', filter: { itemIdPrefix: ITEM_PREFIXES.frequent } },
  { name: 'first page by a rare prefix', filter: { itemIdPrefix: ITEM_PREFIXES.rare } },
  { name: 'first page by a prefix without items', filter: { itemIdPrefix: ITEM_PREFIXES.missing } },
];

export async function measure({ quick, large }: MeasureOptions): Promise<readonly Result[]> {
  const items = quick ? 20_000 : large ? 12_000_000 : 1_000_000;
  const database = await createBenchDatabase();
  const program = await startMeasuredProgram({ DATABASE_URL: database.url, BLADE_ROLES: 'api' });
  try {
    await growItems(database.pool, items);
    logProgress(`  ${items} items are made`);
    const results: Result[] = [];
    for (const { name, filter } of LISTS) {
      const body = JSON.stringify({ query: PAGE, variables: { filter } });
      await sendMany(program.url, body, { count: 5, connections: 1 });
      const { times } = await sendMany(program.url, body, { count: 21, connections: 1 });
      results.push({
        measure: `${items.toLocaleString('en')} items: ${name}, with its count, p50`,
        unit: 'ms',
        value: median(times),
        peer: null,
        goal: valueAtMost(20),
      });
    }
    return results;
  } finally {
    await program.stop();
    await database.close();
  }
}
