import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { folderWarehouse } from '../folder-warehouse.ts';
import { CORPORA, type Corpus } from './answers.ts';
import { OUTCOMES } from './compare.ts';
import { countOutcomes } from './count-outcomes.ts';
import { type Counts, writeSqlPage } from './sql-page.ts';

const page = await readFile(new URL('../../../docs/sql.md', import.meta.url), 'utf8');

/** The counts that docs/sql.md shows. */
function readCounts(): ReadonlyMap<Corpus, Counts> {
  const rows = page
    .split('\n')
    .filter((line) => /^\| [a-z].* \| \d/.test(line))
    .map((line) => line.split('|').slice(2, -1).map(Number));
  return new Map(
    CORPORA.map((corpus, place) => [
      corpus,
      Object.fromEntries(OUTCOMES.map((outcome, row) => [outcome, rows[row]?.[place]])) as Counts,
    ]),
  );
}

describe('the folder gives the values of Databricks, or refuses by name', { timeout: 600_000 }, () => {
  test.each(['documented', 'constructs'] as const)('as docs/sql.md counts them: %s', async (corpus) => {
    const { warehouse } = await folderWarehouse();
    const { counts, statements } = await countOutcomes(warehouse, corpus);
    expect(statements.different).toEqual([]);
    expect(statements.fails).toEqual([]);
    expect(counts).toEqual(readCounts().get(corpus));
  });

  test('for calls with arguments of all kinds', async () => {
    const { warehouse } = await folderWarehouse();
    const { statements } = await countOutcomes(warehouse, 'generated', 8);
    expect(statements.different).toEqual([]);
  });

  test('docs/sql.md is what the generator writes', () => {
    expect(page).toBe(writeSqlPage(readCounts()));
  });
});
