import type { Marking } from '../../data-types/marking.ts';
import { findClearedSchema } from '../../database/cleared-views.ts';
import { type Job, Prisma, type PrismaClient } from '../../database/generated/prisma/client.ts';
import { type OpenedSnapshot, openSnapshot, type Snapshot } from '../../database/snapshot.ts';
import { once } from '../../shared/once.ts';
import { ACTIVE_STATES } from '../job-state.ts';
import { fitPage } from './feed.ts';
import type { SeenPlace } from './seen-place.ts';

/** The most jobs of a page, which bounds what is held for a subscriber. */
const PAGE_SIZE = 100;

/** The most changed jobs that a subscriber catches up with. */
export const MOST_BEHIND = 10_000;

/** A job that has changed, with the place behind it. */
export interface ChangedJob {
  readonly job: Job;
  readonly place: SeenPlace;
}

/** What changed after a place. */
export type ChangePage =
  | { readonly gap: 'EXPIRED' | 'BEHIND'; readonly now: SeenPlace }
  | {
      readonly gap: null;
      readonly jobs: readonly ChangedJob[];
      /** Whether nothing follows it yet. */
      readonly isWhole: boolean;
      /** The place behind all of it. */
      readonly end: SeenPlace;
      /** Reads the sources of its jobs, by their ids, once for all who ask. */
      readSources(): Promise<Sources>;
    };

/** The sources that jobs read, by the ids of the jobs. */
export type Sources = ReadonlyMap<string, ReadonlySet<string>>;

interface Read {
  readonly places: Map<string, SeenPlace>;
  readonly pages: Promise<ReadonlyMap<string, ChangePage>>;
}

const pending = new WeakMap<PrismaClient, Read>();

/** Reads what changed after a place: one read for all who ask in one turn of the event loop, also after other places. */
export async function readChanges(
  sight: PrismaClient,
  clearance: Marking,
  after: SeenPlace,
): Promise<ChangePage> {
  let read = pending.get(sight);
  if (read === undefined) {
    const places = new Map<string, SeenPlace>();
    const pages = new Promise<ReadonlyMap<string, ChangePage>>((resolve, reject) => {
      setImmediate(() => {
        // What asks after this may have to see more than this read.
        pending.delete(sight);
        readPages(sight, clearance, places).then(resolve, reject);
      });
    });
    read = { places, pages };
    pending.set(sight, read);
  }
  const key = JSON.stringify(after);
  read.places.set(key, after);
  const page = (await read.pages).get(key);
  if (page === undefined) throw new Error('the changes after a place were not read');
  return page;
}

/** Reads the place behind all that has been committed. */
export async function readNow(sight: PrismaClient): Promise<SeenPlace> {
  const [row] = await sight.$queryRaw<{ now: Snapshot }[]>`select pg_current_snapshot()::text as now`;
  if (row === undefined) throw new Error('the snapshot of the database was not read');
  return { seen: row.now, within: null };
}

function findLeast(numbers: readonly bigint[]): bigint {
  let least = numbers[0] ?? 0n;
  for (const number of numbers) if (number < least) least = number;
  return least;
}

interface Key {
  readonly id: string;
  readonly revision: number;
  readonly writtenIn: bigint;
}

async function readPages(
  sight: PrismaClient,
  clearance: Marking,
  places: ReadonlyMap<string, SeenPlace>,
): Promise<ReadonlyMap<string, ChangePage>> {
  const opened = [...places].map(([name, place]) => ({ name, place, seen: openSnapshot(place.seen) }));
  const since = findLeast(opened.map(({ seen }) => seen.xmin));
  const { now, keys } = await findKeys(sight, clearance, since);
  const ahead = openSnapshot(now);
  const found = opened.map(({ name, place, seen }) => ({
    ...{ name, place },
    keys: selectKeys(keys, place, seen, ahead),
  }));
  const ids = new Set(
    found.flatMap((one) =>
      typeof one.keys === 'string' ? [] : one.keys.slice(0, PAGE_SIZE).map(({ id }) => id),
    ),
  );
  const rows = ids.size === 0 ? [] : await sight.job.findMany({ where: { id: { in: [...ids] } } });
  const jobs = new Map(rows.map((job) => [job.id, job]));
  const readSources = once(() => readJobSources(sight, [...ids]));
  const last = { seen: now, within: null };
  return new Map(
    found.map(({ name, place, keys: missing }) => [
      name,
      typeof missing === 'string'
        ? { gap: missing, now: last }
        : createPage(place, missing, now, jobs, readSources),
    ]),
  );
}

// In the text, because the planner knows of constants alone that few jobs are active, and looks at all others instead.
const ACTIVE = Prisma.raw(ACTIVE_STATES.map((state) => `'${state}'`).join(', '));

// In the text, as a page with a limit among its values is not prepared.
const LIMIT = Prisma.raw(String(MOST_BEHIND + 1));

/** Finds the jobs that were written since a transaction, the newest if they are too many, in the order of their writes. */
async function findKeys(
  sight: PrismaClient,
  clearance: Marking,
  since: bigint,
): Promise<{ now: Snapshot; keys: readonly Key[] }> {
  const schema = Prisma.raw(findClearedSchema(clearance) ?? 'public');
  const columns = Prisma.sql`j.id, j.revision, j.written_in from ${schema}.job j`;
  // A database that was restored from a dump counts its transactions anew, and has not reached those of older rows.
  const isSince = (column: Prisma.Sql) =>
    Prisma.sql`${column} >= ${String(since)}::text::xid8 and ${column} < pg_snapshot_xmax(pg_current_snapshot())`;
  const rows = await sight.$queryRaw<
    { now: Snapshot; id: string | null; revision: number; writtenIn: string }[]
  >`
    with changed as (
      select ${columns} where ${isSince(Prisma.sql`j.ended_in`)}
      union all
      select ${columns} where ${isSince(Prisma.sql`j.written_in`)} and j.id in (
        select a.id from public.job a where a.state in (${ACTIVE})
      )
      order by written_in desc, id desc limit ${LIMIT}
    )
    select pg_current_snapshot()::text as now, c.id, c.revision, c.written_in::text as "writtenIn"
    from (values (1)) as always left join changed c on true order by c.written_in, c.id`;
  return {
    now: rows[0]?.now ?? '',
    keys: rows.flatMap(({ id, revision, writtenIn }) =>
      id === null ? [] : [{ id, revision, writtenIn: BigInt(writtenIn) }],
    ),
  };
}

/** Selects what is missing after a place; why it cannot, if so. */
function selectKeys(
  keys: readonly Key[],
  { within }: SeenPlace,
  seen: OpenedSnapshot,
  now: OpenedSnapshot,
): readonly Key[] | 'EXPIRED' | 'BEHIND' {
  const partlySeen = within === null ? null : openSnapshot(within.seen);
  // A place of a later state of the database is one from before a backup was restored.
  if (seen.xmax > now.xmax || (partlySeen?.xmax ?? 0n) > now.xmax) return 'EXPIRED';
  const [oldest] = keys;
  if (keys.length > MOST_BEHIND && oldest !== undefined && oldest.writtenIn >= seen.xmin) return 'BEHIND';
  const isUnseen = ({ writtenIn }: Key) => !seen.hasSeen(writtenIn);
  if (within === null || partlySeen === null) return keys.filter(isUnseen);
  const from = BigInt(within.writtenIn);
  return keys.filter(
    (key) =>
      isUnseen(key) &&
      partlySeen.hasSeen(key.writtenIn) &&
      (key.writtenIn > from || (key.writtenIn === from && key.id > within.id)),
  );
}

function createPage(
  after: SeenPlace,
  missing: readonly Key[],
  now: Snapshot,
  rows: ReadonlyMap<string, Job>,
  readSources: () => Promise<Sources>,
): ChangePage {
  const seen = after.within?.seen ?? now;
  const onPage = fitPage(missing.slice(0, PAGE_SIZE).map((key) => ({ ...key, job: rows.get(key.id) })));
  const isRest = onPage.length === missing.length;
  const places = onPage.map(({ id, writtenIn }, index): SeenPlace => {
    const isLast = isRest && index === onPage.length - 1;
    return isLast
      ? { seen, within: null }
      : { seen: after.seen, within: { seen, id, writtenIn: String(writtenIn) } };
  });
  return {
    gap: null,
    // A later revision was written after the snapshot, so that it comes with the next read.
    jobs: onPage.flatMap(({ revision, job }, index) => {
      const place = places[index];
      return job?.revision === revision && place !== undefined ? [{ job, place }] : [];
    }),
    isWhole: isRest && after.within === null,
    end: places.at(-1) ?? { seen, within: null },
    readSources,
  };
}

/** Reads the sources of jobs. */
export async function readJobSources(sight: PrismaClient, jobIds: readonly string[]): Promise<Sources> {
  if (jobIds.length === 0) return new Map();
  const partitions = await sight.jobPartition.findMany({
    where: { jobId: { in: [...jobIds] }, dataSourceId: { not: null } },
    select: { jobId: true, dataSourceId: true },
    distinct: ['jobId', 'dataSourceId'],
  });
  const sources = new Map<string, Set<string>>();
  for (const { jobId, dataSourceId } of partitions) {
    if (dataSourceId !== null)
      sources.set(jobId, (sources.get(jobId) ?? new Set<string>()).add(dataSourceId));
  }
  return sources;
}
