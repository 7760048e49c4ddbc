import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { DeletePolicy, ReadMode } from '../../../generated/graphql.ts';
import type { ApiClient } from '../../api-client.ts';
import type { Chance } from '../../chance.ts';
import type { Cluster } from '../../cluster.ts';
import { readFolderCatalog } from '../../folder-catalog.ts';
import { uuid } from '../../tables.ts';
import { type Copy, type JudgedSource, type JudgedSync, judgeCopy, type SourceReport } from './judge-copy.ts';
import type { Sources } from './sources.ts';
import type { TableLife } from './table-life.ts';
import { type TableVersion, toContent } from './table-version.ts';

export interface Tally {
  ended: number;
  completed: number;
  failed: number;
  cancelled: number;
  /** Sources of completed syncs that were compared. */
  comparisons: number;
  unchanged: number;
  decisions: number;
  /** By the name of the source: once it differs, its later syncs say nothing. */
  readonly problems: Map<string, string[]>;
  readonly story: string[];
}

export interface RandomSyncs {
  readonly cluster: Cluster;
  readonly sources: Sources;
  readonly chance: Chance;
  readonly tally: Tally;
  readonly isOver: () => boolean;
  /** The client of the process that serves the API now. */
  readonly api: () => ApiClient;
}

/** A job without any change for this long hangs. */
const SILENCE_MS = 120_000;

/** Starts one sync after the other, and compares the copy of each source that completes. */
export async function syncAtRandom(context: RandomSyncs): Promise<void> {
  const { chance, tally, isOver } = context;
  while (!isOver()) {
    const ids = choose(context);
    const sync: JudgedSync = {
      syncType: chance.oneOf(['FULL', 'FULL', 'INCREMENTAL', 'INCREMENTAL', 'INCREMENTAL']),
      leastHours: chance.below(8) === 0 ? 50 : null,
      maxItems: chance.below(12) === 0 ? 100 + chance.below(900) : null,
    };
    const options = {
      batchSize: chance.oneOf([50, 200, 2_000]),
      maxAttempts: 20,
      ...(chance.below(2) === 0 ? { partitionRows: 1_000 } : {}),
    };
    const before = await Promise.all(ids.map((id) => readSource(context, id)));
    const first = ids.map((id) => find(context.sources, id).life.versions.length - 1);
    const { leastHours, maxItems, syncType } = sync;
    const input = {
      ...{ syncType, maxItems, options, dataSourceIds: ids.map((id) => `DataSource:${id}`) },
      filter: leastHours === null ? null : `flight_hours >= ${leastHours}`,
      idempotencyKey: randomUUID(),
    };
    const { startSync } = await send<{ startSync: { job?: { id: string } } }>(
      context,
      `mutation Start($input: StartSyncInput!) { startSync(input: $input) { __typename ... on UserError { message } ... on StartSyncSuccess { job { id } } } }`,
      { input },
    );
    let jobId = startSync.job?.id;
    if (jobId === undefined) throw new Error(JSON.stringify(startSync));
    if (chance.below(6) === 0) {
      await delay(chance.below(4_000));
      await send(context, `mutation Cancel($id: ID!) { cancelJob(input: { id: $id }) { __typename } }`, {
        id: jobId,
      });
    }
    let state = await waitForEnd(context, jobId);
    tally.story.push(
      `${new Date().toISOString()} ${state} ${JSON.stringify(sync)} ${before.map(describe).join(', ')}`,
    );
    if (state !== 'COMPLETED' && chance.below(2) === 0) {
      const { retryJob } = await send<{ retryJob: { job?: { id: string } } }>(
        context,
        `mutation Retry($id: ID!) { retryJob(input: { id: $id, mode: ALL, idempotencyKey: "${randomUUID()}" }) { __typename ... on UserError { message } ... on RetryJobSuccess { job { id } } } }`,
        { id: jobId },
      );
      if (retryJob.job !== undefined) {
        await checkJob(context, { jobId, ids: [], before, sync, first });
        jobId = retryJob.job.id;
        state = await waitForEnd(context, jobId);
        tally.story.push(`  retried: ${state}`);
      }
    }
    await checkJob(context, { jobId, ids, before, sync, first });
  }
}

function choose({ sources, chance }: RandomSyncs): readonly string[] {
  const ids = [...sources.keys()];
  const count = 1 + chance.below(3);
  return Array.from({ length: count }, () => ids.splice(chance.below(ids.length), 1)).flat();
}

const describe = ({ name, readMode, deletePolicy, watermark }: JudgedSource) =>
  `${name} (${readMode} ${deletePolicy} ${watermark === null ? '-' : new Date(watermark).toISOString()})`;

interface EndedJob {
  readonly jobId: string;
  readonly ids: readonly string[];
  readonly before: readonly JudgedSource[];
  readonly sync: JudgedSync;
  /** The newest version of each source's table when the job was started. */
  readonly first: readonly number[];
}

interface JobFacts {
  readonly job: {
    readonly state: string;
    readonly failureReason: string | null;
    readonly failedSources: readonly { readonly sourceName: string; readonly message: string }[];
    readonly partitions: { readonly nodes: readonly PartFacts[] };
    readonly events: {
      readonly edges: readonly { readonly node: { readonly __typename: string; readonly message: string } }[];
    };
  };
}

interface PartFacts extends Omit<SourceReport, 'message' | 'log' | 'watermark'> {
  readonly state: string;
  readonly tableVersion: number | null;
  readonly tableTimestamp: string | null;
  readonly dataSource: { readonly id: string } | null;
}

const JOB = `query Job($id: ID!) { job(id: $id) { state failureReason failedSources { sourceName message }
  partitions(first: 200) { nodes { state tableVersion tableTimestamp isUnchanged totalItems processedItems successCount errorCount
    duplicateCount drift dataSource { id } } }
  events(first: 200) { edges { node { __typename message } } } } }`;

async function checkJob(context: RandomSyncs, { jobId, ids, before, sync, first }: EndedJob): Promise<void> {
  const { tally, sources } = context;
  const damaged = new Set(tally.problems.keys());
  const { job } = await send<JobFacts>(context, JOB, { id: jobId });
  tally.ended += 1;
  const log = job.events.edges.map(({ node }) => node);
  if (job.state === 'COMPLETED') tally.completed += 1;
  if (job.state === 'CANCELLED') tally.cancelled += 1;
  if (job.state === 'FAILED') {
    tally.failed += 1;
    for (const { sourceName, message } of job.failedSources) {
      tally.story.push(`  ${sourceName} failed: ${message}`);
      if (!EXPECTED.test(message)) note(tally, sourceName, `failed: ${message}`);
    }
    if (job.failedSources.length === 0) note(tally, 'job', `failed without a source: ${job.failureReason}`);
  }
  for (const [index, id] of ids.entries()) {
    const parts = job.partitions.nodes.filter(
      ({ dataSource }) => dataSource !== null && uuid(dataSource.id) === id,
    );
    const [part] = parts;
    const source = before[index];
    if (part === undefined || source === undefined || parts.some(({ state }) => state !== 'COMPLETED'))
      continue;
    if (damaged.has(source.name)) continue;
    const { life } = find(sources, id);
    const place = await findVersion(life, part);
    const version = life.versions[place];
    const add = (problem: string) =>
      note(
        tally,
        source.name,
        `${describe(source)}, ${JSON.stringify(sync)}, version ${part.tableVersion}: ${problem}`,
      );
    if (version === undefined) {
      add(`there is no version ${part.tableVersion} of ${part.tableTimestamp}`);
      continue;
    }
    if (place < (first[index] ?? 0)) add(`it is older than the table was when the sync began`);
    if (new Set(parts.map(({ tableVersion }) => tableVersion)).size > 1)
      add('its partitions name several versions');
    const now = await readSource(context, id);
    const sum = (pick: (part: PartFacts) => number) => parts.reduce((total, each) => total + pick(each), 0);
    const report: SourceReport = {
      ...{ message: now.message, watermark: now.watermark, isUnchanged: part.isUnchanged, drift: part.drift },
      log: log
        .filter(
          ({ __typename, message }) =>
            /^Deletes(?:Skipped|Waiting)Event/.test(__typename) && message.includes(source.name),
        )
        .map(({ message }) => `No items were deleted: ${message}`),
      totalItems: sum(({ totalItems }) => totalItems),
      processedItems: sum(({ processedItems }) => processedItems),
      successCount: sum(({ successCount }) => successCount),
      errorCount: sum(({ errorCount }) => errorCount),
      duplicateCount: sum(({ duplicateCount }) => duplicateCount),
    };
    const copy = await readCopy(context, id);
    for (const problem of judgeCopy(life, version, source, sync, report, copy).slice(0, 5)) add(problem);
    if (tally.comparisons % 4 === 0) await checkCatalog(context, source, copy, add);
    tally.comparisons += 1;
    if (part.isUnchanged) tally.unchanged += 1;
    tally.story.push(
      `  ${source.name}: version ${part.tableVersion}, ${copy.size} items, ${version.rows.length} rows${part.isUnchanged ? ', unchanged' : ''}, drift ${part.drift}; ${now.message ?? ''}`,
    );
    await decide(context, id, copy, add);
  }
  if (tally.problems.size > damaged.size)
    tally.story.push(...log.map(({ __typename, message }) => `    ${__typename}: ${message}`));
}

/** Notes a problem, for the job in which a source first has one. */
function note({ problems, story }: Tally, name: string, problem: string): void {
  problems.set(name, [...(problems.get(name) ?? []), problem]);
  story.push(`  PROBLEM of ${name}: ${problem}`);
}

/** Why a source may fail. */
const EXPECTED =
  /The schema of the table has changed|TABLE_OR_VIEW_NOT_FOUND|cannot be found|does not exist|changed/;

/** Approves or rejects the deletes of a source that wait. */
async function decide(
  context: RandomSyncs,
  id: string,
  copy: Copy,
  add: (problem: string) => void,
): Promise<void> {
  const { chance, tally } = context;
  const { dataSource } = await send<{
    dataSource: { waitingDeletes: { jobId: string; count: number } | null };
  }>(context, `query Waiting($id: ID!) { dataSource(id: $id) { waitingDeletes { jobId count } } }`, {
    id: `DataSource:${id}`,
  });
  const { waitingDeletes } = dataSource;
  if (waitingDeletes === null || chance.below(3) === 0) return;
  tally.decisions += 1;
  const { jobId, count } = waitingDeletes;
  if (chance.below(2) === 0) {
    await send(
      context,
      `mutation Reject($jobId: ID!) { rejectDeletes(input: { jobId: $jobId }) { __typename } }`,
      { jobId },
    );
    tally.story.push(`  rejected ${count} deletes`);
    return;
  }
  const { approveDeletes } = await send<{ approveDeletes: { __typename: string; deletedCount?: number } }>(
    context,
    `mutation Approve($jobId: ID!) { approveDeletes(input: { jobId: $jobId, expectedCount: ${count} }) { __typename ... on ApproveDeletesSuccess { deletedCount } } }`,
    { jobId },
  );
  tally.story.push(`  approved ${count} deletes: ${JSON.stringify(approveDeletes)}`);
  const { deletedCount } = approveDeletes;
  if (deletedCount === undefined) return;
  const left = (await readCopy(context, id)).size;
  if (left !== copy.size - deletedCount)
    add(`an approval deleted ${deletedCount} items, and ${left} of ${copy.size} are left`);
}

async function checkCatalog(
  { cluster }: RandomSyncs,
  { dataType }: JudgedSource,
  copy: Copy,
  add: (problem: string) => void,
): Promise<void> {
  const held = new Map<string, string>();
  for await (const item of readFolderCatalog(cluster.catalogFolder))
    if (item.dataType === dataType) held.set(item.itemId, toContent(item.data));
  const wrong = [...copy].find(([id, data]) => held.get(id) !== toContent(data));
  if (wrong !== undefined)
    add(`the catalog has ${wrong[0]} as ${held.get(wrong[0])}, and the copy as ${toContent(wrong[1])}`);
}

/** Finds the place of the version that a sync names; it may still be being remembered. */
async function findVersion(
  { versions }: TableLife,
  { tableVersion, tableTimestamp }: PartFacts,
): Promise<number> {
  const isNamed = ({ number, committedAt }: TableVersion) =>
    number === tableVersion && committedAt.getTime() === Date.parse(tableTimestamp ?? '');
  for (let attempt = 0; attempt < 300; attempt++) {
    const place = versions.findLastIndex(isNamed);
    if (place >= 0) return place;
    await delay(200);
  }
  return -1;
}

async function waitForEnd({ cluster: { pool } }: RandomSyncs, id: string): Promise<string> {
  let revision = -1;
  for (let since = Date.now(); ; ) {
    const { rows } = await pool.query<{ state: string; revision: number; reason: string | null }>(
      'select state::text, revision, failure_reason as reason from job where id = $1',
      [uuid(id)],
    );
    const [job] = rows;
    if (job === undefined) throw new Error(`there is no job ${id}`);
    if (/^(?:COMPLETED|FAILED|CANCELLED)$/.test(job.state)) return job.state;
    if (job.revision !== revision) {
      revision = job.revision;
      since = Date.now();
    }
    if (Date.now() - since > SILENCE_MS) {
      const events = await pool.query(
        'select kind::text, reason from job_event where job_id = $1 order by id desc limit 10',
        [uuid(id)],
      );
      throw new Error(`job ${id} hangs: ${job.state} ${JSON.stringify(events.rows)}`);
    }
    await delay(100);
  }
}

async function readSource(
  { cluster: { pool }, sources }: RandomSyncs,
  id: string,
): Promise<JudgedSource & { readonly message: string | null }> {
  const { rows } = await pool.query<{
    readMode: ReadMode;
    deletePolicy: DeletePolicy;
    maxDeletePercent: number;
    watermark: string | null;
    cursorColumn: string | null;
    message: string | null;
  }>(
    `select read_mode::text as "readMode", delete_policy::text as "deletePolicy", max_delete_percent as "maxDeletePercent",
       watermark, cursor_column as "cursorColumn", last_sync_message as message from data_source where id = $1`,
    [id],
  );
  const [row] = rows;
  if (row === undefined) throw new Error(`there is no source ${id}`);
  const { watermark, cursorColumn, ...facts } = row;
  const { name, dataType } = find(sources, id);
  return {
    ...{ ...facts, name, dataType, hasCursor: cursorColumn !== null },
    watermark: watermark === null ? null : Date.parse(`${watermark}Z`),
  };
}

async function readCopy({ cluster: { pool } }: RandomSyncs, id: string): Promise<Copy> {
  const { rows } = await pool.query<{ id: string; data: Record<string, unknown> }>(
    'select item_id as id, data from blade_item where data_source_id = $1 and deleted_at is null',
    [id],
  );
  return new Map(rows.map(({ id, data }) => [id, data]));
}

function find(sources: Sources, id: string) {
  const source = sources.get(id);
  if (source === undefined) throw new Error(`there is no source ${id}`);
  return source;
}

/** Asks the API, which may be killed and come back at any moment. */
async function send<Result>(
  { api }: RandomSyncs,
  query: string,
  variables: Record<string, unknown>,
): Promise<Result> {
  for (let attempt = 0; ; attempt++) {
    try {
      const { data, errors } = await api().sendRaw(query, variables);
      if (errors !== undefined) throw new Error(JSON.stringify(errors));
      return data as Result;
    } catch (error) {
      if (attempt === 120 || String(error).includes('VALIDATION')) throw error;
      await delay(500);
    }
  }
}
