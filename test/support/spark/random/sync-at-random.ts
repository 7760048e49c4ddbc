import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { DeletePolicy, ReadMode, UpdateDataSourceInput } from '../../../generated/graphql.ts';
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
  retries: number;
  changes: number;
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
    const jobId = startSync.job?.id;
    if (jobId === undefined) throw new Error(JSON.stringify(startSync));
    const decided = await disturb(context, jobId, ids);
    const state = await waitForEnd(context, jobId);
    tally.story.push(
      `${new Date().toISOString()} ${state} ${JSON.stringify(sync)} ${before.map(describe).join(', ')}`,
    );
    await checkJob(context, { jobId, ids, before, sync, first, decided });
    await decideAtRandom(context, []);
    if (chance.below(state === 'COMPLETED' ? 4 : 2) === 0) await retry(context, jobId, ids, sync);
    await changeAtRandom(context, []);
    await decideAtRandom(context, []);
  }
}

/** Does something to a sync that runs, to its sources and to others. @returns its sources whose deletes were decided meanwhile. */
async function disturb(context: RandomSyncs, id: string, ids: readonly string[]): Promise<readonly string[]> {
  const { chance, tally } = context;
  const isPaused = chance.below(6) === 0;
  if (chance.below(2) === 0) await delay(chance.below(3_000));
  if (isPaused)
    await send(context, `mutation Pause($id: ID!) { pauseJob(input: { id: $id }) { __typename } }`, { id });
  await changeAtRandom(context, ids);
  const decided = await decideAtRandom(context, ids);
  if (isPaused) {
    await delay(chance.below(2_000));
    // The job may still be pausing, or may have ended.
    for (let state = 'PAUSING'; state === 'PAUSING'; await delay(100)) state = await readState(context, id);
    await send(context, `mutation Resume($id: ID!) { resumeJob(input: { id: $id }) { __typename } }`, { id });
    tally.story.push('  paused and resumed');
  }
  if (chance.below(6) === 0)
    await send(context, `mutation Cancel($id: ID!) { cancelJob(input: { id: $id }) { __typename } }`, { id });
  return decided;
}

/** Retries a job that has ended, and compares the sources that are read again. */
async function retry(
  context: RandomSyncs,
  id: string,
  all: readonly string[],
  sync: JudgedSync,
): Promise<void> {
  const { chance, tally } = context;
  const mode = chance.oneOf(['ALL', 'FAILED_SOURCES', 'FAILED_ITEMS']);
  const before = await Promise.all(all.map((source) => readSource(context, source)));
  const first = all.map((source) => find(context.sources, source).life.versions.length - 1);
  const { retryJob } = await send<{ retryJob: { job?: { id: string } } }>(
    context,
    `mutation Retry($id: ID!) { retryJob(input: { id: $id, mode: ${mode}, idempotencyKey: "${randomUUID()}" }) { __typename ... on UserError { message } ... on RetryJobSuccess { job { id } } } }`,
    { id },
  );
  if (retryJob.job === undefined) return;
  tally.retries += 1;
  const jobId = retryJob.job.id;
  const decided = await disturb(context, jobId, all);
  tally.story.push(`  retried ${mode}: ${await waitForEnd(context, jobId)}`);
  // Kept rows say nothing about the table.
  const ids = mode === 'FAILED_ITEMS' ? [] : all;
  await checkJob(context, { jobId, ids, before, sync, first, decided });
}

type Change = (chance: Chance) => Omit<UpdateDataSourceInput, 'id'>;

/** Without the watermark, which goes with it, a sync that has just ended cannot be judged. */
const CURSOR_CHANGE: Change = (chance) => ({ cursorColumn: chance.oneOf(['updated_at', null]) });

const CHANGES: readonly [Change, ...Change[]] = [
  (chance) => ({ deletePolicy: chance.oneOf(['KEEP', 'MARK', 'MARK', 'REMOVE'] as const) }),
  (chance) => ({ readMode: chance.oneOf(['AUTO', 'CHANGE_FEED', 'CURSOR', 'SNAPSHOT'] as const) }),
  (chance) => ({ maxDeletePercent: chance.oneOf([1, 20, 60, 100]) }),
  (chance) => ({ onSchemaChange: chance.oneOf(['CONTINUE', 'CONTINUE', 'PAUSE'] as const) }),
];

/** Changes settings of a source, or accepts its schema. @param reading the sources that a sync reads. */
async function changeAtRandom(context: RandomSyncs, reading: readonly string[]): Promise<void> {
  const { chance, sources, tally } = context;
  if (chance.below(3) === 0) return;
  const own = reading.length > 0 && chance.below(2) === 0;
  const id = chance.oneOf((own ? reading : [...sources.keys()]) as [string, ...string[]]);
  const input = {
    id: `DataSource:${id}`,
    ...(reading.length === 0 && chance.below(5) === 0 ? CURSOR_CHANGE : chance.oneOf(CHANGES))(chance),
  };
  const { updateDataSource, acceptSchemaChange } = await send<Record<string, { __typename: string }>>(
    context,
    `mutation Change($input: UpdateDataSourceInput!) { updateDataSource(input: $input) { __typename ... on UserError { message } }
      acceptSchemaChange(input: { id: "${id}" }) { __typename } }`,
    { input },
  );
  const kind = updateDataSource?.__typename;
  tally.changes += 1;
  tally.story.push(
    `  ${find(sources, id).name}: ${JSON.stringify(input)} ${kind}, accepted: ${acceptSchemaChange?.__typename}`,
  );
  const isExpected =
    kind === 'UpdateDataSourceSuccess' || (kind === 'DataSourceInUseError' && reading.includes(id));
  if (!isExpected) note(tally, find(sources, id).name, `a change says ${JSON.stringify(updateDataSource)}`);
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
  /** The sources whose deletes were decided before the end of the job. */
  readonly decided: readonly string[];
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

async function checkJob(
  context: RandomSyncs,
  { jobId, ids, before, sync, first, decided }: EndedJob,
): Promise<void> {
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
      ...{
        message: now.message,
        watermark: now.watermark,
        isUnchanged: part.isUnchanged,
        drift: decided.includes(id) ? null : part.drift,
      },
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
    checkWords(await readFacts(context, id), add);
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

interface Waiting {
  readonly jobId: string;
  readonly count: number;
}

/** What a source says of its copy now. */
interface SourceFacts {
  readonly drift: number | null;
  readonly driftMessage: string | null;
  readonly lastSyncMessage: string | null;
  readonly waitingDeletes: Waiting | null;
}

async function readFacts(context: RandomSyncs, id: string): Promise<SourceFacts> {
  const { dataSource } = await send<{ dataSource: SourceFacts }>(
    context,
    `query Facts($id: ID!) { dataSource(id: $id) { drift driftMessage lastSyncMessage waitingDeletes { jobId count } } }`,
    { id: `DataSource:${id}` },
  );
  return dataSource;
}

/** Approves or rejects deletes that wait, at times with a wrong number or twice at once. @param reading the sources that a sync reads. @returns those decided. */
async function decideAtRandom(context: RandomSyncs, reading: readonly string[]): Promise<readonly string[]> {
  const { chance, sources } = context;
  const decided: string[] = [];
  for (const id of sources.keys()) {
    const facts = await readFacts(context, id);
    if (facts.waitingDeletes === null || chance.below(3) === 0) continue;
    await decide(context, id, facts, facts.waitingDeletes, reading.includes(id));
    decided.push(id);
  }
  return decided;
}

async function decide(
  context: RandomSyncs,
  id: string,
  facts: SourceFacts,
  { jobId, count }: Waiting,
  isRead: boolean,
): Promise<void> {
  const { chance, tally, sources } = context;
  const { name, life } = find(sources, id);
  const add = (problem: string) => note(tally, name, `a decision on ${count} deletes: ${problem}`);
  const before = await readCopy(context, id);
  const version = await findProposed(context, jobId, id);
  const expected = chance.below(4) === 0 ? count + 1 : count;
  const input = { jobId, dataSourceId: `DataSource:${id}` };
  const approve = () =>
    send<{ decided: { __typename: string; deletedCount?: number } }>(
      context,
      `mutation Approve($input: ApproveDeletesInput!) { decided: approveDeletes(input: $input) { __typename ... on ApproveDeletesSuccess { deletedCount } } }`,
      { input: { ...input, expectedCount: expected } },
    );
  const reject = () =>
    send<{ decided: { __typename: string; deletedCount?: number } }>(
      context,
      `mutation Reject($input: RejectDeletesInput!) { decided: rejectDeletes(input: $input) { __typename } }`,
      { input },
    );
  const ways = chance.oneOf([[approve], [approve], [reject], [approve, approve], [approve, reject]]);
  const answers = (await Promise.all(ways.map((way) => way()))).map(({ decided }) => decided);
  tally.decisions += 1;
  tally.story.push(
    `  ${name}: decision on ${count} deletes, expecting ${expected}: ${JSON.stringify(answers)}`,
  );
  const done = answers.filter(({ __typename }) => __typename.endsWith('Success'));
  if (done.length > 1) add(`two were made: ${JSON.stringify(answers)}`);
  const wrong = answers.filter(
    ({ __typename }) => expected !== count && __typename === 'ApproveDeletesSuccess',
  );
  if (wrong.length > 0) add('a wrong number was accepted');
  // What a sync of the source does meanwhile is judged at its end.
  if (isRead) return;
  const left = await readCopy(context, id);
  const gone = [...before.keys()].filter((itemId) => !left.has(itemId));
  // An answer to a process that was killed is lost, and the second one then says that nothing waits.
  const deleted = done[0]?.deletedCount ?? (done.length > 0 ? 0 : null);
  if (deleted !== null && gone.length !== deleted)
    add(`${deleted} were deleted, and ${gone.length} are gone`);
  const held = new Set(version?.rows.map((row) => row.id));
  const alive = gone.find((itemId) => held.has(itemId));
  if (alive !== undefined)
    add(`${alive} is gone, which had a row in version ${version?.number} of ${life.name}`);
  const after = await readFacts(context, id);
  if (facts.drift !== null && after.drift !== facts.drift + gone.length)
    add(`drift was ${facts.drift} and is ${after.drift} after ${gone.length} deletes`);
  checkWords(after, add);
  if (done.length > 0 && after.waitingDeletes !== null) add('they still wait');
  if (done.length > 0 && /They wait until/.test(after.lastSyncMessage ?? ''))
    add(`the source still says: ${after.lastSyncMessage}`);
}

/** Compares what a source says of its drift in words with the number. */
function checkWords({ drift, driftMessage }: SourceFacts, add: (problem: string) => void): void {
  const [said] = /^[\d,]+/.exec(driftMessage ?? '0') ?? [];
  if (
    Number(said?.replaceAll(',', '')) !== Math.abs(drift ?? 0) ||
    /no row/.test(driftMessage ?? '') !== (drift ?? 0) < 0
  )
    add(`drift is ${drift}, and in words: ${driftMessage}`);
}

/** Finds the table version read by the sync that proposed the deletes; null if it is unknown. */
async function findProposed(
  { cluster: { pool }, sources }: RandomSyncs,
  jobId: string,
  id: string,
): Promise<TableVersion | null> {
  const { rows } = await pool.query<{ tableVersion: number; tableTimestamp: Date }>(
    `select table_version::int as "tableVersion", table_timestamp as "tableTimestamp" from job_partition
     where job_id = $1 and data_source_id = $2 and table_version is not null`,
    [uuid(jobId), id],
  );
  const [row] = rows;
  if (row === undefined) return null;
  const { tableVersion, tableTimestamp } = row;
  const { life } = find(sources, id);
  const place = await findVersion(life, { tableVersion, tableTimestamp: tableTimestamp.toISOString() });
  return life.versions[place] ?? null;
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
  { tableVersion, tableTimestamp }: Pick<PartFacts, 'tableVersion' | 'tableTimestamp'>,
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

async function readState({ cluster: { pool } }: RandomSyncs, id: string): Promise<string> {
  const { rows } = await pool.query<{ state: string }>('select state::text from job where id = $1', [
    uuid(id),
  ]);
  return rows[0]?.state ?? '';
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
