import type { Marking } from '../../data-types/marking.ts';
import { findClearedSchema } from '../../database/cleared-views.ts';
import { type JobError, Prisma, type PrismaClient } from '../../database/generated/prisma/client.ts';
import { isNewSince, NOTHING_SEEN, type Snapshot } from '../../database/snapshot.ts';
import { isTerminal, type JobState } from '../job-state.ts';
import { type Entry, type FeedSource, fitPage, type Page, shareReads } from './feed.ts';
import { BEGINNING, type SeenPlace } from './seen-place.ts';

/** The most errors that are read at once. */
const PAGE_SIZE = 200;

/** The most errors that a subscriber catches up with. */
const MOST_BEHIND = 10_000;

const shareErrorReads = shareReads<PrismaClient, Page<JobError, SeenPlace>>();

/** The errors of a job as a clearance sees them, in the order in which they were committed. */
export function createErrorFeed(
  sight: PrismaClient,
  clearance: Marking,
  jobId: string,
  onError: (error: unknown) => void,
): FeedSource<JobError, SeenPlace> {
  return {
    onError,
    read: (after) =>
      shareErrorReads(sight, `${jobId} ${JSON.stringify(after)}`, () =>
        readErrors(sight, clearance, jobId, after ?? BEGINNING),
      ),
  };
}

interface Found {
  readonly now: Snapshot;
  /** Whether the place is of a later state of the database, as one from before a backup was restored. */
  readonly isAhead: boolean;
  /** Null if there is no such job. */
  readonly state: JobState | null;
  readonly id: string | null;
  readonly writtenIn: string | null;
  readonly count: number;
}

async function readErrors(
  sight: PrismaClient,
  clearance: Marking,
  jobId: string,
  after: SeenPlace,
): Promise<Page<JobError, SeenPlace>> {
  const found = await findErrors(sight, clearance, jobId, after);
  const [first] = found;
  if (first === undefined) throw new Error('the errors of a job were not read');
  const { now, isAhead, state, count } = first;
  if (isAhead) return { entries: [{ gap: 'EXPIRED', place: null }], isLast: false, isWhole: false };
  const all = { seen: now, within: null };
  if (count > MOST_BEHIND) return { entries: [{ gap: 'BEHIND', place: all }], isLast: false, isWhole: false };
  const keys = found.flatMap(({ id, writtenIn }) =>
    id === null || writtenIn === null ? [] : [{ id, writtenIn }],
  );
  const isWhole = keys.length <= PAGE_SIZE;
  const onPage = keys.slice(0, PAGE_SIZE);
  const rows = await sight.jobError.findMany({ where: { id: { in: onPage.map(({ id }) => id) } } });
  const byId = new Map(rows.map((row) => [row.id, row]));
  const rowsOnPage = onPage.flatMap(({ id, writtenIn }) => {
    const value = byId.get(id);
    return value === undefined ? [] : [{ id, writtenIn, value }];
  });
  const fitting = fitPage(rowsOnPage);
  const isRest = isWhole && fitting.length === rowsOnPage.length;
  const entries = fitting.map(({ id, writtenIn, value }, index): Entry<JobError, SeenPlace> => {
    const isLastOfAll = isRest && index === fitting.length - 1;
    return { value, place: isLastOfAll ? all : { seen: after.seen, within: { seen: now, writtenIn, id } } };
  });
  const hasEnded = state === null || isTerminal(state);
  const isEnd = after.within === null && keys.length === 0 && hasEnded;
  // What was left of a page may be nothing.
  if (entries.length === 0 && !isEnd && after.within !== null)
    return readErrors(sight, clearance, jobId, all);
  // Nothing wakes a job that has ended.
  return { entries, isLast: isEnd, isWhole: isRest && after.within === null && !hasEnded };
}

function findErrors(
  sight: PrismaClient,
  clearance: Marking,
  jobId: string,
  { seen, within }: SeenPlace,
): Promise<Found[]> {
  const schema = Prisma.raw(findClearedSchema(clearance) ?? 'public');
  const { sql } = Prisma;
  // A database that was restored from a dump counts its transactions anew: what it has not reached is older than all.
  const bound = sql`pg_snapshot_xmax(pg_current_snapshot())`;
  const writtenIn = sql`(case when e.written_in < ${bound} then e.written_in else '2'::xid8 end)`;
  const isMissing =
    seen === NOTHING_SEEN
      ? sql`true`
      : sql`(${isNewSince(sql`e.written_in`, seen)} and e.written_in < ${bound})`;
  const now = within === null ? sql`pg_current_snapshot()` : sql`${within.seen}::text::pg_snapshot`;
  const rest =
    within === null
      ? sql`true`
      : sql`not coalesce(${isNewSince(writtenIn, within.seen)}, false)
          and (${writtenIn}, e.id) > (${within.writtenIn}::text::xid8, ${within.id}::uuid)`;
  // At most as many as can be caught up with are sorted.
  return sight.$queryRaw<Found[]>`
    with missing as materialized (
      select e.id, ${writtenIn} as written_in from ${schema}.job_error e
      where e.job_id = ${jobId}::uuid and ${isMissing} and ${rest} limit ${MOST_BEHIND + 1}
    )
    select (${now})::text as now,
      greatest(pg_snapshot_xmax(${now}), pg_snapshot_xmax(${seen}::text::pg_snapshot))
        > pg_snapshot_xmax(pg_current_snapshot()) as "isAhead",
      (select j.state::text from ${schema}.job j where j.id = ${jobId}::uuid) as state,
      (select count(*) from missing)::int as count, page.id, page.written_in::text as "writtenIn"
    from (values (1)) as always left join (
      select * from missing order by written_in, id limit ${PAGE_SIZE + 1}
    ) as page on true order by page.written_in, page.id`;
}
