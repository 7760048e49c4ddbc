import type { DeletePolicy, ReadMode, SyncType } from '../../../generated/graphql.ts';
import type { TableLife } from './table-life.ts';
import { type TableRow, type TableVersion, toContent } from './table-version.ts';

/** A source, as it was when a sync of it began. */
export interface JudgedSource {
  readonly name: string;
  readonly dataType: string;
  readonly readMode: ReadMode;
  readonly deletePolicy: DeletePolicy;
  readonly maxDeletePercent: number;
  /** In milliseconds; null for none. */
  readonly watermark: number | null;
  readonly hasCursor: boolean;
}

export interface JudgedSync {
  readonly syncType: SyncType;
  /** Reads only rows of at least as many hours; null for no filter. */
  readonly leastHours: number | null;
  readonly maxItems: number | null;
}

/** What the program says about a source that a sync has completed. */
export interface SourceReport {
  readonly message: string | null;
  readonly log: readonly string[];
  readonly drift: number | null;
  readonly watermark: number | null;
  readonly isUnchanged: boolean;
  readonly totalItems: number;
  readonly processedItems: number;
  readonly successCount: number;
  readonly errorCount: number;
  readonly duplicateCount: number;
}

/** The items of a source that are not deleted: their data by id. */
export type Copy = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

/** Compares a copy with the version of the table that a completed sync names. @returns what is wrong. */
export function judgeCopy(
  life: TableLife,
  version: TableVersion,
  source: JudgedSource,
  sync: JudgedSync,
  report: SourceReport,
  copy: Copy,
): readonly string[] {
  const problems: string[] = [];
  const expected = groupRows(version.rows, source);
  const items = [...copy].map(([id, data]) => ({ id, content: toContent(data) }));
  const named = new Map(items.filter(({ id }) => !isDerived(id)).map(({ id, content }) => [id, content]));
  const derived = new Set(items.filter(({ id }) => isDerived(id)).map(({ content }) => content));

  const isPart = sync.leastHours !== null || sync.maxItems !== null;
  const isFull = sync.syncType === 'FULL';
  const readsFeed =
    !isPart &&
    !isFull &&
    (source.readMode === 'CHANGE_FEED' || (source.readMode === 'AUTO' && version.hasFeed));
  const readsAll =
    isFull ||
    readsFeed ||
    source.readMode === 'SNAPSHOT' ||
    !source.hasCursor ||
    source.watermark === null ||
    /all rows were read/.test(report.message ?? '');
  const isRead = (row: TableRow) =>
    (readsAll || (row.cursor !== null && row.cursor >= (source.watermark ?? 0))) &&
    (sync.leastHours === null || (row.hours !== null && row.hours >= sync.leastHours));

  // Each row that was read is an item, with its content.
  if (sync.maxItems === null) {
    for (const [id, rows] of expected.byId) {
      const read = rows.filter(isRead);
      if (read.length === 0 || read.some(({ isBad }) => isBad)) continue;
      const content = named.get(id);
      if (content === undefined) problems.push(`lacks ${id}: ${read[0]?.content}`);
      else if (!read.some((row) => row.content === content))
        problems.push(`has ${id} as ${content}, not ${read.map((row) => row.content).join(' or ')}`);
    }
    for (const row of expected.nameless)
      if (isRead(row) && !derived.has(row.content))
        problems.push(`lacks a row without an id: ${row.content}`);
  }
  // Each item has been a row.
  for (const [id, content] of named)
    if (!life.hasHeld(id, content)) problems.push(`has ${id} as ${content}, which the table never had`);
  for (const content of derived)
    if (!life.hasHeld(null, content)) problems.push(`has ${content} without an id, which was never there`);

  const nameless = new Set(expected.nameless.map(({ content }) => content));
  const surplus = items.filter(({ id, content }) =>
    isDerived(id) ? !nameless.has(content) : !expected.byId.has(id),
  );
  const deletes = source.deletePolicy !== 'KEEP' && ((isFull && !isPart) || readsFeed);
  const explanation = [report.message ?? '', ...report.log].find((text) => KEPT.test(text));
  if (deletes && surplus.length > 0 && explanation === undefined)
    problems.push(`has ${surplus.length} items without a row, such as ${JSON.stringify(surplus[0])}`);

  const hasMixedIds = [...expected.byId.values()].some(
    (rows) => rows.length > 1 && rows.some(({ isBad }) => isBad),
  );
  const distinct = expected.byId.size + nameless.size + expected.unidentified;
  if (report.drift !== null && !hasMixedIds && report.drift !== distinct - copy.size)
    problems.push(
      `drift is ${report.drift}, and the table has ${distinct} distinct rows and the copy ${copy.size} items`,
    );

  const countsAll = !isPart && (isFull || (!readsFeed && readsAll && source.watermark === null));
  if (countsAll && !report.isUnchanged && !hasMixedIds) {
    const bad = expected.unidentified + countBad(expected.byId);
    const good =
      [...expected.byId.values()].filter((rows) => !rows.some(({ isBad }) => isBad)).length + nameless.size;
    const counts = {
      ...{ totalItems: version.rows.length, processedItems: version.rows.length, successCount: good },
      ...{ errorCount: bad, duplicateCount: version.rows.length - bad - good },
    };
    for (const [name, count] of Object.entries(counts))
      if (report[name as keyof typeof counts] !== count)
        problems.push(`${name} is ${report[name as keyof typeof counts]}, not ${count}`);
  }
  if (countsAll && isFull && report.isUnchanged && report.successCount !== distinct)
    problems.push(`an unchanged table counts ${report.successCount} items, not ${distinct}`);
  if (isFull && !isPart && source.hasCursor) {
    const cursors = version.rows.flatMap(({ cursor }) => cursor ?? []);
    const greatest = cursors.length === 0 ? source.watermark : Math.max(...cursors);
    if (report.watermark !== greatest && cursors.length > 0)
      problems.push(
        `the watermark is ${new Date(report.watermark ?? 0).toISOString()}, not ${new Date(greatest ?? 0).toISOString()}`,
      );
  }
  return problems;
}

const KEPT = /No items were deleted|kept, because another job wrote/;

const isDerived = (id: string) => id.startsWith('sha256-');

interface ExpectedRows {
  readonly byId: ReadonlyMap<string, readonly TableRow[]>;
  /** Rows without an id that become items. */
  readonly nameless: readonly TableRow[];
  /** The number of those that cannot. */
  readonly unidentified: number;
}

function groupRows(rows: readonly TableRow[], { dataType }: JudgedSource): ExpectedRows {
  const withoutId = rows.filter(({ id }) => id === null);
  const nameless = dataType === 'sortie' ? withoutId.filter((row) => row.hasMission && !row.isBad) : [];
  const byId = Map.groupBy(
    rows.filter(({ id }) => id !== null),
    ({ id }) => id ?? '',
  );
  return { byId, nameless, unidentified: withoutId.length - nameless.length };
}

function countBad(byId: ExpectedRows['byId']): number {
  return [...byId.values()].flat().filter(({ isBad }) => isBad).length;
}
