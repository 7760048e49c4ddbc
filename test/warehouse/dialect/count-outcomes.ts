import type { Warehouse } from '../../../src/warehouse/warehouse.ts';
import { type Corpus, type Recorded, readAnswers } from './answers.ts';
import { compare, OUTCOMES, type Outcome } from './compare.ts';
import type { Counts } from './sql-page.ts';

export interface Outcomes {
  readonly counts: Counts;
  /** The statements of each outcome. */
  readonly statements: Readonly<Record<Outcome, readonly string[]>>;
}

/** How many statements are asked at once. */
const CONCURRENCY = 4;

/** Compares the answers of the folder to all statements of a corpus, or to every n-th. */
export async function countOutcomes(warehouse: Warehouse, corpus: Corpus, every = 1): Promise<Outcomes> {
  const statements = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, [] as string[]])) as Record<
    Outcome,
    string[]
  >;
  const waiting = readAnswers(corpus)
    .filter((_, index) => index % every === 0)
    .values();
  const work = async () => {
    for (const recorded of waiting) await add(recorded);
  };
  const add = async (recorded: Recorded) => {
    const { outcome } = await compare(warehouse, recorded);
    statements[outcome].push(recorded[0]);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  const counts = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, statements[outcome].length]));
  return { counts: counts as Counts, statements };
}
