import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { type Blade, runBlade } from '../support/command-line.ts';
import { bearer, SECRET_SETTINGS } from '../support/credentials.ts';
import { test } from '../support/on-server.ts';
import { addSource, removeTable, writeRows } from '../support/tables.ts';
import { readStates } from './watched-states.ts';

const UNKNOWN = '01997f3e-8c1a-7000-8000-000000000000';

const SORTIES = Array.from({ length: 30 }, (_, index) => ({
  item_id: `SRT-${index}`,
  departure_base: index % 3 === 0 ? 'ATL' : 'DTW',
  flight_hours: index === 7 ? 'long' : index / 10,
  updated_at: `2026-01-01T00:00:${String(index).padStart(2, '0')}`,
}));

test.beforeAll(async ({ application }) => {
  await writeRows(application.warehouseFolder, 'sortie', SORTIES);
  await addSource(application, { name: 'Flown sorties' });
});

/** Syncs to the end of every source, even if no item succeeds. @returns the id of the job. */
async function sync(blade: Blade, ...args: string[]): Promise<string> {
  const { code, out } = await blade('sync', '--watch', '--json', ...args);
  expect([0, 1]).toContain(code);
  return JSON.parse(out.slice(0, out.indexOf('\n'))).id;
}

describe('blade sync', () => {
  test('writes only the job id to stdout, and notes to stderr', async ({ blade }) => {
    const { code, out, err } = await blade('sync', '--type', 'sortie');
    expect({ code, out }).toEqual({ code: 0, out: expect.stringMatching(/^Job:[0-9a-f-]{36}\n$/) });
    expect(err).toContain(out.trim());
    expect((await blade('job', out.trim(), '--watch')).code).toBe(0);
  });

  test('in a pipe, a watch ends with a line about the end of the job and where to see its errors', async ({
    blade,
  }) => {
    const { code, out, err } = await blade('sync', '--watch');
    expect(code).toBe(0);
    expect(out).toMatch(
      /(^|\n)COMPLETED after [^\n]+, 30 items, 29 stored \(\d+ inserted, 0 updated, \d+ unchanged\), 1 error\n$/,
    );
    expect(err).toMatch(/blade job Job:\S+ --errors\n$/);
    expect(out).not.toContain('\u001b');
  });

  test('with --json, a watch writes one object per line, each newer than the one before, up to the end', async ({
    blade,
  }) => {
    const { out } = await blade('--json', 'sync', '--watch', '--batch-size', '5');
    expect(readStates(out).at(-1)).toMatchObject({
      state: 'COMPLETED',
      progress: { percent: 100, processedItems: 30, successCount: 29, errorCount: 1 },
    });
  });

  test('passes every option to the job', async ({ blade }) => {
    const id = await sync(
      blade,
      ...['--incremental', '--filter', "departure_base = 'ATL'", '--max-items', '4', '--batch-size', '3'],
      ...['--max-errors', '9', '--max-attempts', '2', '--partition-rows', '5000', '--type', 'sortie'],
    );
    expect(await blade.json('job', id)).toMatchObject({
      dataType: 'sortie',
      configuration: {
        syncType: 'INCREMENTAL',
        filter: "departure_base = 'ATL'",
        maxItems: 4,
        options: { batchSize: 3, maxErrors: 9, maxAttempts: 2, partitionRows: 5000 },
      },
      progress: { processedItems: 4 },
    });
  });

  test('exits with 2 and names each invalid option', async ({ blade }) => {
    const { code, out, err } = await blade('sync', '--type', 'tanks', '--max-items', '0', '--batch-size=-1');
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err.trimEnd().split('\n').sort()).toEqual([
      expect.stringMatching(/^--batch-size: must be a whole number/),
      expect.stringMatching(/^--max-items: must be at least 1/),
      expect.stringMatching(/^--type: there is no data type "tanks"; known are/),
    ]);
  });

  test('exits with 1 and the reason when no source can be read', async ({ application, blade }) => {
    const id = await addSource(application, { name: 'Gone', dataType: 'logistics', tableName: 'gone' });
    const { code, out } = await blade('sync', '--type', 'logistics', '--watch');
    await blade('sources', 'delete', id);
    expect({ code, out }).toEqual({ code: 1, out: expect.stringMatching(/FAILED[^\n]*: [^\n]*\n$/) });
  });

  test('exits with 4 when there is no source to read, and says how to add one', async ({ blade }) => {
    expect(await blade('sync', '--type', 'deployment')).toMatchObject({
      code: 4,
      err: 'there is no enabled data source of type deployment; see blade sources --help\n',
    });
  });
});

describe('the exit code of a watch', () => {
  const GOOD = "item_id = 'SRT-1'";
  const BAD = "item_id = 'SRT-7'";

  test.for<[outcome: string, code: number, args: string[]]>([
    ['SUCCEEDED', 0, ['--watch', '--filter', GOOD]],
    ['SUCCEEDED', 0, ['--fail-on-errors', '--filter', GOOD]],
    ['ITEMS_FAILED', 0, ['--watch']],
    ['ITEMS_FAILED', 9, ['--watch', '--fail-on-errors']],
    ['ITEMS_FAILED', 9, ['--fail-on-errors']],
    ['NOTHING_SUCCEEDED', 1, ['--watch', '--filter', BAD]],
  ])('of a job that ends with %s is %i with %j', async ([outcome, code, args], { blade }) => {
    const ended = await blade('sync', '--type', 'sortie', '--json', ...args);
    const last = JSON.parse(ended.out.trimEnd().split('\n').at(-1) ?? '');
    expect({ code: ended.code, ...last }).toMatchObject({ code, state: 'COMPLETED', outcome });
  });

  test('is 10 if some sources fail, which are shown first and can be retried alone', async ({
    application,
    blade,
  }) => {
    const source = await addSource(application, { name: 'Gone', tableName: 'gone' });
    const { code, out, err } = await blade('sync', '--type', 'sortie', '--watch');
    expect({ code, out }).toEqual({
      code: 10,
      out: expect.stringMatching(
        /FAILED after [^\n]+, 30 items, 29 stored \(.*\), 1 error, 1 of 2 sources: Gone: /,
      ),
    });
    const [, id = ''] = /blade retry (Job:\S+) --failed-sources\n$/.exec(err) ?? [];
    const shown = await blade('job', id);
    expect(shown.out).toMatch(
      /\nOutcome +some sources failed\n\nFAILED SOURCE +TYPE +WHY\nGone +sortie +There is no table [^\n]+\n\nSOURCE /,
    );
    expect(shown.err).toContain(`blade retry ${id} --failed-sources`);
    expect(await blade('retry', id, '--failed-sources', '--failed-items')).toMatchObject({ code: 2 });

    await writeRows(application.warehouseFolder, 'gone', [{ item_id: 'GONE-1' }]);
    const retried = await blade('retry', id, '--failed-sources', '--watch');
    await blade('sources', 'delete', source);
    await removeTable(application.warehouseFolder, 'gone');
    expect({ code: retried.code, out: retried.out }).toEqual({
      code: 0,
      out: expect.stringMatching(/COMPLETED after [^\n]+, 1 item, 1 stored \(.*\), 0 errors\n$/),
    });
  });
});

describe('blade query', () => {
  const SQL = 'SELECT * FROM blade.field.sortie WHERE departure_base = :base AND item_id <> :id';

  test('ingests the rows of a query in a file, with parameters, a marking and metadata', async ({
    application,
    blade,
  }) => {
    const file = join(application.warehouseFolder, 'query.sql');
    await writeFile(file, SQL);
    const { code, out } = await blade(
      ...['query', '--type', 'sortie', '--file', file, '--param', 'base=ATL', '--param', 'id="7"'],
      ...['--classification', 'SECRET', '--metadata', 'run=7', '--metadata', 'by=ops', '--watch'],
    );
    expect({ code, out }).toEqual({
      code: 0,
      out: expect.stringMatching(/COMPLETED[^\n]* 10 items, 10 stored \(.*\), 0 errors\n$/),
    });
    const { items } = await blade.json('items', 'list', '--marking', 'SECRET', '--limit', '1');
    expect(items).toMatchObject([{ classificationMarking: 'SECRET', metadata: { run: 7, by: 'ops' } }]);
  });

  test('reads the query from standard input', async ({ application, blade }) => {
    const environment = { BLADE_URL: application.url };
    const args = ['query', '--type', 'sortie', '--file', '-', '--param', 'base=DTW', '--param', 'id=x'];
    const { code, out } = await runBlade([...args, '--json'], environment, SQL);
    expect({ code, job: JSON.parse(out) }).toMatchObject({ code: 0, job: { kind: 'QUERY' } });
    expect((await blade('job', JSON.parse(out).id, '--watch')).code).toBe(0);
  });

  test.for<[args: string[], message: RegExp]>([
    [['--sql', SQL, '--param', 'base=1'], /^--param id: the query uses :id/],
    [['--sql', 'DROP TABLE x'], /^--sql: /],
    [
      ['--sql', 'SELECT * FROM blade.field.sortie', '--classification', 'COSMIC'],
      /--classification.*COSMIC.*must be one of U, UNCLASSIFIED/,
    ],
    [['--sql', SQL, '--file', 'x'], /--sql.* cannot be used with option '--file/],
    [['--file', '/nowhere/query.sql'], /^--file: cannot read \/nowhere\/query.sql\n$/],
    [[], /^--sql: the query is missing/],
    [['--sql', SQL, '--param', 'base'], /--param.*must be name=value/],
    [['--sql', SQL, '--param', 'base=12345678901234567890'], /--param.*too large for a number/],
    [['--sql', SQL, '--param', 'base=1', '--param', 'base=2'], /base is given twice/],
  ])('%j exits with 2 and names the option', async ([args, message], { blade }) => {
    const { code, err } = await blade('query', '--type', 'sortie', ...args);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringMatching(message) });
  });
});

describe('blade jobs', () => {
  test('lists jobs by kind, state and time, a page at a time', async ({ blade }) => {
    const ids = [await sync(blade), await sync(blade), await sync(blade)];
    const list = ['jobs', '--kind', 'sync', '--state', 'completed', '--state', 'FAILED'];
    const first = await blade.json(...list, '--limit', '2');
    expect(first.jobs.map(({ id }: { id: string }) => id)).toEqual([ids[2], ids[1]]);
    const next = await blade.json(...list, '--limit', '1', '--after', first.nextCursor);
    expect(next.jobs).toMatchObject([{ id: ids[0] }]);
    expect(await blade.json(...list, '--since', '2999-01-01')).toEqual({
      totalCount: 0,
      isTotalCountExact: true,
      jobs: [],
      nextCursor: null,
    });

    const { out, err } = await blade(...list, '--limit', '2');
    const [heading, ...rows] = out.trimEnd().split('\n');
    expect(heading).toMatch(
      /^ID +KIND +TYPE +STATE +OUTCOME +DONE +ITEMS +INSERTED +UPDATED +UNCHANGED +ERRORS +DELETED +CREATED +TOOK$/,
    );
    expect(rows).toEqual([
      expect.stringMatching(
        new RegExp(`^${ids[2]}  SYNC  all +COMPLETED  ITEMS_FAILED  100% +30 +\\d+ +0 +\\d+ +1 +0  `),
      ),
      expect.stringContaining(ids[1] ?? ''),
    ]);
    expect(err).toBe(`2 of ${first.totalCount} jobs; for more: --after ${first.nextCursor}\n`);
  });

  test('lists jobs by outcome, source, starter, label, SQL, retry and end', async ({ blade }) => {
    const failed = await sync(blade, '--filter', "item_id = 'SRT-7'", '--label', 'team=ops');
    const whole = await sync(blade, '--label', 'team=it', '--label', 'night=');
    const retry = (await blade('retry', failed, '--watch', '--json')).out;
    const retried: string = JSON.parse(retry.slice(0, retry.indexOf('\n'))).id;
    const { finishedAt } = await blade.json('job', whole);
    const list = async (...args: string[]) => {
      const { jobs } = await blade.json('jobs', '--limit', '200', ...args);
      const ids = jobs.map(({ id }: { id: string }) => id);
      return [retried, whole, failed].filter((id) => ids.includes(id));
    };
    expect(await list('--outcome', 'nothing_succeeded')).toEqual([retried, failed]);
    expect(await list('--outcome', 'NOTHING_SUCCEEDED', '--outcome', 'items_failed')).toHaveLength(3);
    expect(await list('--source', 'Flown sorties')).toHaveLength(3);
    expect(await list('--started-by', 'local')).toHaveLength(3);
    expect(await list('--started-by', 'scheduler')).toEqual([]);
    expect(await list('--label', 'team')).toHaveLength(3);
    expect(await list('--label', 'team=it', '--label', 'night')).toEqual([whole]);
    expect(await list('--label', 'night=x')).toEqual([]);
    expect(await list('--sql', "ITEM_ID = 'srt-7'")).toEqual([retried, failed]);
    expect(await list('--retries')).toEqual([retried]);
    expect(await list('--no-retries')).toEqual([whole, failed]);
    expect(await list('--retry-of', failed.slice('Job:'.length, -1))).toEqual([retried]);
    expect(await list('--ended-since', finishedAt)).toEqual([retried, whole]);
    expect(await list('--ended-until', finishedAt)).toEqual([failed]);
    expect(await blade('jobs', '--source', 'Nothing')).toMatchObject({
      code: 4,
      err: expect.stringContaining('there is no data source Nothing'),
    });
  });

  test('shows a job with its partitions and last errors, and lists its errors with their rows', async ({
    blade,
  }) => {
    const id = await sync(blade, '--filter', "item_id = 'SRT-7'");
    const { out } = await blade('job', id);
    expect(out).toMatch(new RegExp(`^Job +${id}\nDoes +FULL sync of all sources, where item_id = 'SRT-7'\n`));
    expect(out).toMatch(
      /\nState +COMPLETED after [^\n]+, 1 item, 0 stored, 1 error\nOutcome +nothing succeeded\n/,
    );
    expect(out).toMatch(/\nFlown sorties +sortie +COMPLETED +100% +1 +0 +0 +0 +1 +0 +0 +1\n/);
    expect(out).toMatch(/\nLAST ERRORS\n.*flight_hours/);

    const errors = await blade('job', id, '--errors', '--stage', 'transform');
    expect(errors.out).toMatch(/^STAGE +TYPE +ITEM +MESSAGE\nTRANSFORM +sortie +SRT-7 +flight_hours .*\n$/);
    expect(await blade.json('job', id, '--errors')).toMatchObject({
      totalCount: 1,
      errors: [{ itemId: 'SRT-7', row: { flight_hours: 'long' } }],
    });
    expect((await blade.json('job', id, '--errors', '--stage', 'UPLOAD')).totalCount).toBe(0);
  });

  test('retries failed items as a new job', async ({ blade }) => {
    const id = await sync(blade);
    const retried = await blade('retry', id, '--failed-items', '--watch');
    expect({ code: retried.code, out: retried.out }).toEqual({
      code: 1,
      out: expect.stringMatching(/COMPLETED[^\n]*, 1 item, 0 stored, 1 error\n$/),
    });
    const again = await blade('retry', id);
    expect(again).toMatchObject({ code: 0, out: expect.stringMatching(/^Job:/) });
    await blade('job', again.out.trim(), '--watch');
  });

  test.for<[args: string[], code: number, message: RegExp]>([
    [['job', UNKNOWN], 4, /there is no job/],
    [['job', UNKNOWN, '--errors'], 4, /there is no job/],
    [['job', UNKNOWN, '--watch'], 4, /there is no job/],
    [['cancel', UNKNOWN], 4, /there is no job/],
    [['pause', UNKNOWN], 4, /there is no job/],
    [['resume', UNKNOWN], 4, /there is no job/],
    [['retry', UNKNOWN], 4, /there is no job/],
    [['job', 'x'], 2, /^ID: is not an id/],
    [['cancel', 'x'], 2, /^ID: is not an id/],
    [['retry', 'x'], 2, /^ID: is not an id/],
    [['stop'], 5, /no sync job is active/],
    [['job', 'x', '--watch', '--errors'], 2, /cannot be used with/],
    [['jobs', '--state', 'DONE'], 2, /--state.*must be one of QUEUED, RUNNING/],
    [['jobs', '--type', 'tanks'], 2, /^--type: there is no data type "tanks"/],
    [['jobs', '--limit', '0'], 2, /--limit.*at least 1/],
    [['jobs', '--since', 'yesterday'], 2, /--since.*must be a time such as/],
    [['jobs', '--after', 'x'], 2, /after/],
    [['sync', '--max-items', '1.5'], 2, /--max-items.*whole number/],
    [['sink'], 2, /unknown command 'sink'/],
    [['sync', '--whole'], 2, /unknown option '--whole'/],
    [['sync', 'x'], 2, /too many arguments/],
    [[], 2, /Usage: blade/],
  ])('%j exits with %i and says why', async ([args, code, message], { blade }) => {
    const ended = await blade(...args);
    expect(ended).toEqual({ code, out: '', err: expect.stringMatching(message) });
  });

  test('exits with 5 for what an ended job cannot do', async ({ blade }) => {
    const id = await sync(blade);
    for (const command of ['cancel', 'pause', 'resume']) {
      expect(await blade(command, id)).toMatchObject({ code: 5, err: expect.stringContaining('COMPLETED') });
    }
    const clean = await sync(blade, '--filter', "item_id = 'SRT-1'");
    expect(await blade('retry', clean, '--failed-items')).toMatchObject({ code: 5 });
    expect(await blade('retry', clean, '--failed-sources')).toMatchObject({
      ...{ code: 5, err: expect.stringContaining('no failed sources') },
    });
  });
});

describe('blade sources', () => {
  test('adds, changes, tests, lists and deletes sources by id or name', async ({ blade }) => {
    const added = await blade.json(
      ...['sources', 'add', '--name', 'Spare sorties', '--type', 'sortie', '--table', 'blade.field.sortie'],
      ...['--cursor', 'updated_at', '--cron', '30 2 * * *', '--time-zone', 'Europe/Berlin', '--disabled'],
    );
    expect(added).toMatchObject({
      fullTableName: 'blade.field.sortie',
      cursorColumn: 'updated_at',
      enabled: false,
      schedule: { cron: '30 2 * * *', timeZone: 'Europe/Berlin' },
    });
    const edited = await blade.json(
      'sources',
      'edit',
      'Spare sorties',
      '--name',
      'Spares',
      '--no-cron',
      '--enabled',
    );
    expect(edited).toMatchObject({
      id: added.id,
      name: 'Spares',
      cursorColumn: 'updated_at',
      enabled: true,
      schedule: null,
    });
    expect(
      (await blade.json('sources', 'edit', added.id, '--no-cursor', '--disabled')).cursorColumn,
    ).toBeNull();

    expect(await blade.json('sources', 'test', 'Spares')).toMatchObject({ isReadable: true, rowCount: 30 });
    expect((await blade('sources', 'test', 'Spares')).out).toMatch(/\nReadable +yes\nRows +30\n/);
    expect((await blade('sources', 'edit', 'Spares', '--table', 'blade.field.gone')).out).toBe(
      `${added.id}\n`,
    );
    const broken = await blade('sources', 'test', 'Spares');
    expect(broken).toMatchObject({ code: 1, out: expect.stringMatching(/\nReadable +no: .*gone/) });

    expect(await blade.json('sources', 'list', '--disabled')).toMatchObject([{ name: 'Spares' }]);
    const { out } = await blade('sources', 'list');
    expect(out).toMatch(
      /^ID +NAME +TYPE +TABLE +ENABLED .*\nDataSource:\S+ +Flown sorties +sortie +blade.field.sortie +yes /,
    );
    expect(await blade.json('sources', 'delete', 'Spares')).toEqual({ deletedId: added.id, name: 'Spares' });
    expect((await blade('sources', 'delete', 'Spares')).code).toBe(4);
    expect((await blade('sources', 'test', added.id)).code).toBe(4);
  });

  test('names the option that is wrong for a source', async ({ blade }) => {
    const add = ['sources', 'add', '--type', 'sortie', '--name'];
    expect(await blade(...add, 'Flown sorties', '--table', 'a.b.c')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^--name: another data source/),
    });
    expect(await blade(...add, 'x', '--table', 'sortie')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/--table.*must be catalog.schema.table/),
    });
    expect(await blade(...add, 'x', '--table', 'a.b.c', '--cron', 'nightly')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^--cron: /),
    });
    expect(await blade(...add, 'x', '--table', 'a.b.c', '--time-zone', 'UTC')).toMatchObject({
      code: 2,
      err: '--time-zone: needs --cron\n',
    });
  });
});

describe('blade items', () => {
  test('lists items by id, data and upload, and shows one with its data', async ({ blade }) => {
    await sync(blade);
    expect(
      await blade.json('items', 'list', '--prefix', 'SRT-1', '--data', 'departure_base=ATL', '--uploaded'),
    ).toMatchObject({
      totalCount: 3,
      items: [{ itemId: 'SRT-12' }, { itemId: 'SRT-15' }, { itemId: 'SRT-18' }],
    });
    const { out } = await blade('items', 'show', 'sortie', 'SRT-3');
    expect(out).toMatch(/^Item +sortie SRT-3\nMarking +\S+\n/);
    expect(JSON.parse(out.slice(out.indexOf('{')))).toMatchObject({
      item_id: 'SRT-3',
      departure_base: 'ATL',
    });
    expect((await blade.json('items', 'show', 'sortie', 'SRT-3')).data).toMatchObject({
      item_id: 'SRT-3',
      flight_hours: 0.3,
    });
    expect((await blade('items', 'show', 'sortie', 'SRT-99')).code).toBe(4);
    expect(await blade('items', 'list', '--marking', 'COSMIC')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/--marking.*must be one of U, UNCLASSIFIED.*TS, TOP SECRET/),
    });
    const count = async (...args: string[]) => (await blade.json('items', 'list', ...args)).totalCount;
    expect(await count('--source', 'Flown sorties', '--marking', 'c', '--marking', 'Secret')).toBe(29);
    expect(await count('--marking', 'top secret', '--marking', 'TOP_SECRET')).toBe(0);
  });

  test('shows who raised a marking and why, and lowers it', async ({ blade }) => {
    const raised = await blade(
      ...['query', '--type', 'sortie', '--sql', "SELECT 'SRT-3' AS item_id", '--watch'],
      ...['--classification', 'TS', '--reason', 'Names a source'],
    );
    expect(raised.code).toBe(0);
    const { out } = await blade('items', 'show', 'sortie', 'SRT-3');
    expect(out).toMatch(
      /\nMarking +TS\nRaised to +TS by Local user, [^\n]+: Names a source\nSource states +\S+\n/,
    );
    const lower = ['items', 'lower', 'sortie', 'SRT-3', '--reason', 'The exercise is over'];
    expect(await blade(...lower, '--from', 'SECRET')).toMatchObject({
      code: 5,
      err: expect.stringContaining('is raised to TS, not to SECRET'),
    });
    expect(await blade(...lower, '--from', 'TS', '--to', 'TS')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^--to: /),
    });
    expect(await blade(...lower, '--from', 'ts', '--to', 'secret')).toMatchObject({
      code: 0,
      err: expect.stringContaining('Marking lowered to SECRET: the item is SECRET'),
    });
    expect(await blade.json(...lower, '--from', 'S')).toMatchObject({ itemId: 'SRT-3', markingFloor: null });
    expect((await blade(...lower, '--from', 'TS')).code).toBe(5);
    expect((await blade('items', 'lower', 'sortie', 'SRT-99', '--from', 'TS', '--reason', 'x')).code).toBe(4);
  });

  test('lists more items than fit in one request', async ({ application, blade }) => {
    const rows = Array.from({ length: 230 }, (_, index) => ({ item_id: `DPL-${index}` }));
    await writeRows(application.warehouseFolder, 'deployment', rows);
    const id = await addSource(application, {
      name: 'Units',
      dataType: 'deployment',
      tableName: 'deployment',
    });
    await sync(blade, '--type', 'deployment');
    const { items, nextCursor } = await blade.json('items', 'list', '--type', 'deployment', '--limit', '220');
    expect(new Set(items.map(({ itemId }: { itemId: string }) => itemId)).size).toBe(220);
    const rest = await blade.json(
      'items',
      'list',
      '--type',
      'deployment',
      '--limit',
      '220',
      '--after',
      nextCursor,
    );
    expect(rest).toMatchObject({ totalCount: 230, nextCursor: null });
    expect(rest.items).toHaveLength(10);
    await blade('sources', 'delete', id);
  });

  test('ends quietly when the reader of its output stops', async ({ blade }) => {
    const { child, ended } = blade.start('items', 'list', '--limit', '200', '--json');
    child.stdout.destroy();
    expect(await ended).toMatchObject({ code: 141, err: '' });
  });
});

describe('--json', () => {
  test('writes the fields that docs/command-line.md names', async ({ blade }) => {
    const docs = await readFile('docs/command-line.md', 'utf8');
    const rows = new Map(
      [...docs.matchAll(/^\| (\S[^|]*?) +\| ([^|]*`[^|]*?) +\|$/gm)].map(([, name = '', fields = '']) => [
        name.replaceAll('`', ''),
        [...fields.matchAll(/`(\w+)`/g)].map(([, field = '']) => field),
      ]),
    );
    /** The fields that the docs name, in one row or in several together. */
    const documented = (...names: string[]) =>
      names.flatMap((name) => rows.get(name) ?? [`no row ${name}`]).sort();
    const fieldNames = (value: object) => Object.keys(value).sort();

    const id = await sync(blade, '--filter', "item_id IN ('SRT-7', 'SRT-8')");
    const job = await blade.json('job', id);
    expect(fieldNames(job)).toEqual(documented('a watch', 'blade job'));
    expect(fieldNames(job.progress)).toEqual(documented('progress in it'));
    const retried = await blade.json('retry', id);
    expect(fieldNames(retried)).toEqual(documented('a watch'));
    await blade('job', retried.id, '--watch');
    expect(fieldNames(await blade.json('job', id, '--errors'))).toEqual(documented('blade job --errors'));
    const list = await blade.json('jobs');
    expect(fieldNames(list)).toEqual(
      documented('blade jobs').filter((name) => fieldNames(list).includes(name)),
    );
    expect([...fieldNames(list.jobs[0]), 'recentErrors'].sort()).toEqual(documented('a watch'));
    const [source] = await blade.json('sources', 'list');
    expect(fieldNames(source)).toEqual(documented('blade sources list'));
    expect(fieldNames(await blade.json('sources', 'test', source.id))).toEqual(
      documented('blade sources test'),
    );
    expect(fieldNames(await blade.json('items', 'list'))).toEqual(documented('blade items list'));
    expect(fieldNames(await blade.json('items', 'show', 'sortie', 'SRT-8'))).toEqual(
      documented('blade items show'),
    );
    expect(fieldNames(await blade.json('whoami'))).toEqual(documented('blade whoami'));
  });
});

test('a sync whose deletes wait for an admin says so when it ends, and so does its job afterwards', async ({
  application,
  blade,
}) => {
  const rows = Array.from({ length: 10 }, (_, index) => ({ item_id: `M-${index}` }));
  await writeRows(application.warehouseFolder, 'shrinking', rows);
  const table = ['--table', 'blade.field.shrinking'];
  await blade(
    'sources',
    'add',
    '--name',
    'Shrinking',
    '--type',
    'maintenance',
    ...table,
    '--deletes',
    'mark',
  );
  const only = ['--source', 'Shrinking'];
  expect((await blade('sync', ...only, '--watch')).err).not.toMatch(/wait for an admin/);
  await writeRows(application.warehouseFolder, 'shrinking', rows.slice(0, 5));
  const { code, out, err } = await blade('sync', ...only, '--watch');
  expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining('COMPLETED') });
  expect(err).toMatch(/^5 items of Shrinking wait for an admin before they are deleted: 5 of its 10 items/m);

  const [id = ''] = /Job:\S+(?=\))/.exec(err) ?? [];
  await blade('sources', 'approve-deletes', 'Shrinking', '--expect', '5');
  expect((await blade('job', id)).out).toMatch(
    /\nTIME +NOTICE\n\S+ \S+ +5 items of Shrinking wait .+\n\S+ \S+ +5 items of Shrinking deleted, as approved/,
  );
  expect((await blade.json('job', id)).notices).toMatchObject([
    { __typename: 'DeletesWaitingEvent' },
    { __typename: 'DeletesApprovedEvent' },
  ]);
  await blade('sources', 'delete', 'Shrinking');
});

test('control characters in rows cannot change a terminal', async ({ application, blade }) => {
  const evil = [{ item_id: '\u001b]0;owned\u0007\u001b[2J\u202eEVIL', flight_hours: 'x\u001b[31m' }];
  await writeRows(application.warehouseFolder, 'evil', evil);
  const id = await addSource(application, { name: 'Evil', dataType: 'maintenance', tableName: 'evil' });
  await sync(blade, '--type', 'maintenance');
  const { out } = await blade('items', 'list', '--type', 'maintenance');
  expect(out).toContain('EVIL');
  expect(out.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202a-\u202e]/u);
  await blade('sources', 'delete', id);
});

const testWithTokens = test.extend('settings', SECRET_SETTINGS);

describe('a server that asks for a token', () => {
  async function createToken(role: string): Promise<string> {
    return (await bearer({ role, name: 'Maj Lee', clearance: 'SECRET' })).replace('Bearer ', '');
  }

  testWithTokens('accepts a token from an option, a file or a variable', async ({ application, folder }) => {
    const token = await createToken('operator');
    const file = join(folder, 'token');
    await writeFile(file, `${token}\n`);
    const url = { BLADE_URL: new URL(application.url).origin };
    for (const ended of [
      await runBlade(['whoami', '--token', token], url),
      await runBlade(['whoami', '--token-file', file], { ...url, BLADE_TOKEN: 'another' }),
      await runBlade(['whoami'], { ...url, BLADE_TOKEN: token }),
      await runBlade(['whoami'], { ...url, BLADE_TOKEN_FILE: file, BLADE_TOKEN: '' }),
    ]) {
      expect(ended.out).toMatch(
        /^Name +Maj Lee\nId +\S+\nRole +OPERATOR\nClearance +SECRET\nExpires +\d{4}-/,
      );
      expect(ended).toMatchObject({ code: 0, err: '' });
    }
  });

  testWithTokens(
    'makes a command exit with 6 without a valid token or the needed role; no token is printed',
    async ({ application }) => {
      const url = { BLADE_URL: application.url };
      const viewer = await createToken('viewer');
      const stranger = (await bearer({}, 'a-secret-of-somebody-else-altogether')).replace('Bearer ', '');
      for (const [args, token, message] of [
        [['whoami'], '', /credential/],
        [['jobs'], stranger, /./],
        [['job', UNKNOWN, '--watch'], stranger, /./],
        [['sync'], viewer, /needs the role OPERATOR; yours is VIEWER/],
      ] as const) {
        const ended = await runBlade([...args], { ...url, BLADE_TOKEN: token });
        expect(ended).toEqual({ code: 6, out: '', err: expect.stringMatching(message) });
        if (token !== '') expect(ended.out + ended.err).not.toContain(token);
      }
    },
  );

  testWithTokens(
    'is not asked with an invalid token or address, which the output does not show',
    async ({ application }) => {
      const url = { BLADE_URL: application.url };
      for (const ended of [
        await runBlade(['whoami'], { ...url, BLADE_TOKEN: 'hush hush' }),
        await runBlade(['whoami', '--url', 'http://ann:hush@127.0.0.1/graphql']),
        await runBlade(['whoami', '--url', 'hush']),
      ]) {
        expect(ended).toEqual({ code: 2, out: '', err: expect.not.stringContaining('hush') });
      }
      expect(await runBlade(['whoami', '--token-file', '/nowhere/token'], url)).toMatchObject({
        code: 2,
        err: '--token-file: cannot read /nowhere/token\n',
      });
    },
  );
});

test('a command exits with 7 when there is no server, or no API, at its address', async ({ application }) => {
  expect(await runBlade(['jobs', '--url', 'http://127.0.0.1:1'])).toEqual({
    code: 7,
    out: '',
    err: expect.stringMatching(
      /^cannot reach http:\/\/127\.0\.0\.1:1\/graphql \(.+\): set --url or BLADE_URL/,
    ),
  });
  const other = new URL('/elsewhere', application.url).href;
  expect(await runBlade(['jobs', '--url', other])).toMatchObject({
    code: 7,
    err: expect.stringContaining('HTTP 404'),
  });
});
