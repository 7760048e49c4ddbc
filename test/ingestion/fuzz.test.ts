import { randomUUID } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';
import { httpCatalogDefaults } from '../../src/catalog/http/options.ts';
import { isMarking, parseMarking, toLevel } from '../../src/data-types/marking.ts';
import { type CatalogServer, startCatalogServer } from '../support/catalog-server.ts';
import { fuzzParameters } from '../support/fuzz-runs.ts';
import { test } from '../support/on-server.ts';
import { JobById, JobErrors } from '../support/operations.ts';
import { asJson, hasKeyTwice, poisonedTexts, poisonedTimes, poisonedTrees } from '../support/poison.ts';
import {
  addSource,
  catalogContent,
  forgetAll,
  storedItems,
  uploadedContent,
  writeQuery,
} from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

/** A cell as text, which DuckDB casts to the column's type, and as what it is to become; undefined where that is not said here. */
interface Cell {
  readonly text: string | null;
  readonly carried: unknown;
}

interface Column {
  readonly name: string;
  readonly type: string;
}

interface Table {
  readonly columns: readonly Column[];
  /** The cells of rows, and whether the row is as a table of the field has it. */
  readonly rows: readonly { readonly cells: readonly Cell[]; readonly isGood: boolean }[];
}

const plain = (text: string): Cell => ({ text, carried: text });
/** What an item has of a cell in a column of numbers: a number for a text that JavaScript writes the number as. */
function toNumber({ carried }: Cell): unknown {
  if (typeof carried !== 'string' || !/^-?\d/.test(carried) || /e/.test(carried)) return carried;
  const number = Number(carried);
  const isExact = String(number) === carried && Math.abs(number) < Number.MAX_SAFE_INTEGER;
  return isExact ? number : carried;
}

/** What a cell carries that costs its row, because it has no value. */
const UNREADABLE = Symbol('unreadable');

const NULL: Cell = { text: null, carried: null };

/** Lone surrogates are no text of a warehouse: they cannot be written in UTF-8. */
const texts = [...poisonedTexts, ...poisonedTimes, 'x'.repeat(100_000), '😀'.repeat(20_000)]
  .filter((text) => text.isWellFormed())
  .map((text) => ({ text, carried: text }));

/** The types that columns have, each with what poisons it. */
const POISON: Readonly<Record<string, readonly Cell[]>> = {
  VARCHAR: texts,
  DOUBLE: ['NaN', 'Infinity', '-Infinity', '-0', '1e308', '5e-324', '0.1', '9007199254740993'].map(
    (text) => ({
      text,
      carried: Number.isFinite(Number(text)) ? Number(text) + 0 : text,
    }),
  ),
  BIGINT: ['9223372036854775807', '-9223372036854775808', '9007199254740993', '0'].map((text) => ({
    text,
    carried: text === '0' ? 0 : text,
  })),
  'DECIMAL(38,10)': ['9999999999999999999999999999.9999999999', '-0.0000000001'].map(plain),
  DATE: ['infinity', '-infinity', '5877642-06-25 (BC)', '0044-03-15 (BC)', '9999-12-31', '10000-01-01'].map(
    (text) => ({ text, carried: undefined }),
  ),
  TIMESTAMP: ['infinity', '-infinity', '290309-12-22 (BC) 00:00:00', '294247-01-10 04:00:54.775806'].map(
    (text) => ({ text, carried: undefined }),
  ),
  BLOB: [
    { text: '', carried: '' },
    { text: '\\x00\\xFF', carried: 'AP8=' },
  ],
  // Half a surrogate pair is no JSON to the engine.
  JSON: poisonedTrees
    .map((tree) => ({ tree, text: asJson(tree) }))
    .filter(({ text }) => !text.includes('\\ud8'))
    .map(({ tree, text }) => {
      if (hasKeyTwice(tree)) return { text, carried: UNREADABLE };
      // Neither a number that JavaScript cannot hold nor what is too deep to be kept.
      const isLost = text.includes('1e400') || text.split(/[[{]/).length > 101;
      return { text, carried: isLost ? undefined : JSON.parse(text) };
    }),
  'MAP(VARCHAR, VARCHAR)': ['__proto__', 'constructor', '', 'a.b', '"', '\0', 'É'].map((key) => ({
    text: `{${JSON.stringify(key)}:"x"}`,
    carried: JSON.parse(`{${JSON.stringify(key)}:"x"}`),
  })),
  'VARCHAR[]': [[], [''], ['\0'], ['a', 'é']].map((list) => ({ text: JSON.stringify(list), carried: list })),
};

const GOOD: Readonly<Record<string, Cell>> = {
  VARCHAR: plain('fine'),
  DOUBLE: { text: '1.5', carried: 1.5 },
  BIGINT: { text: '7', carried: 7 },
  'DECIMAL(38,10)': plain('1.5000000000'),
  DATE: plain('2026-03-01'),
  TIMESTAMP: plain('2026-03-01T10:00:00'),
  BLOB: { text: 'abc', carried: 'YWJj' },
  JSON: { text: '{"a":[1]}', carried: { a: [1] } },
  'MAP(VARCHAR, VARCHAR)': { text: '{"a":"b"}', carried: { a: 'b' } },
  'VARCHAR[]': { text: '["a"]', carried: ['a'] },
};

const TYPES = Object.keys(POISON);

/** Columns that sorties have, with a value that they take. */
const knownColumns: readonly (Column & { readonly good: Cell })[] = [
  { name: 'flight_hours', type: 'DOUBLE', good: { text: '1.5', carried: 1.5 } },
  { name: 'Flight_Hours', type: 'VARCHAR', good: plain('1.5') },
  { name: 'scheduled_departure', type: 'TIMESTAMP', good: plain('2026-03-01T10:00:00') },
  { name: 'SCHEDULED_DEPARTURE', type: 'VARCHAR', good: plain('2026-03-01 10:00:00') },
  { name: 'mission_id', type: 'VARCHAR', good: plain('M-1') },
  { name: 'Mission_Status', type: 'VARCHAR', good: plain('FLOWN') },
  { name: 'pilot_callsign', type: 'JSON', good: { text: '"VIPER"', carried: 'VIPER' } },
  { name: 'classification_marking', type: 'VARCHAR', good: plain('SECRET') },
  { name: 'Classification', type: 'VARCHAR', good: plain('SECRET') },
];

const surplusNames = [
  ...[
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'a.b',
    'a"b',
    "a'b",
    'a`b',
    ' ',
    '.',
    '%',
    '\\',
  ],
  ...[
    'Mixed Case',
    'é',
    'e\u0301',
    '😀',
    'x'.repeat(300),
    'select',
    '$type',
    'length',
    '0',
    '\u202e',
    '\u2028',
  ],
];

const columns: fc.Arbitrary<readonly (Column & { readonly good: Cell })[]> = fc
  .tuple(
    fc.subarray([...knownColumns], { maxLength: 4 }),
    fc.array(fc.record({ name: fc.constantFrom(...surplusNames), type: fc.constantFrom(...TYPES) }), {
      minLength: 1,
      maxLength: 4,
    }),
  )
  .map(([known, surplus]) => {
    const all = [...known, ...surplus.map((column) => ({ ...column, good: GOOD[column.type] ?? NULL }))];
    // The engine takes names that differ in case alone for the same.
    return all.filter(
      ({ name }, index) =>
        all.findIndex((other) => other.name.toLowerCase() === name.toLowerCase()) === index,
    );
  });

/** A table with good rows, and with some in which a cell or more is poisoned. */
const table: fc.Arbitrary<Table> = columns.chain((some) =>
  fc
    .array(
      fc.tuple(
        fc.boolean(),
        ...some.map(({ type, good }) =>
          fc.oneof(
            { weight: 2, arbitrary: fc.constant(good) },
            { weight: 1, arbitrary: fc.constant(NULL) },
            { weight: 2, arbitrary: fc.constantFrom(...(POISON[type] ?? [])) },
          ),
        ),
      ),
      { minLength: 4, maxLength: 12 },
    )
    .map((rows) => ({
      columns: [{ name: 'Item_Id', type: 'VARCHAR' }, ...some.map(({ name, type }) => ({ name, type }))],
      rows: rows.map(([isGood, ...cells], index) => ({
        isGood,
        cells: [plain(`S-${index}`), ...(isGood ? some.map(({ good }) => good) : cells)],
      })),
    })),
);

/** Makes the table `blade.field.<name>`, of Parquet. */
async function writeTable(folder: string, name: string, { columns, rows }: Table): Promise<void> {
  const written = join(tmpdir(), `${randomUUID()}.ndjson`);
  await writeFile(
    written,
    rows
      .map(
        ({ cells }) =>
          `${JSON.stringify(Object.fromEntries(cells.map(({ text }, index) => [`c${index}`, text])))}\n`,
      )
      .join(''),
  );
  const asText = columns.map((_, index) => `c${index}: 'VARCHAR'`).join(', ');
  const cast = columns.map(({ name, type }, index) => {
    const from = /^(MAP|VARCHAR\[)/.test(type) ? `CAST(c${index} AS JSON)` : `c${index}`;
    return `CAST(${from} AS ${type}) AS "${name.replaceAll('"', '""')}"`;
  });
  try {
    await writeQuery(
      folder,
      name,
      `SELECT ${cast.join(', ')} FROM read_ndjson('${written}', columns = {${asText}}, maximum_object_size = 100000000)`,
    );
  } finally {
    await rm(written);
  }
}

/** What cannot be kept shows as U+FFFD in the row of an error. */
function shown(value: unknown): unknown {
  if (value === UNREADABLE) return '\ufffd';
  if (typeof value === 'string') return value.replaceAll('\0', '\ufffd');
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [shown(key), shown(member)]));
}

describe.each(['folder', 'http'] as const)(
  'rows with poisoned values, uploaded to a catalog of %s',
  (kind) => {
    let application: TestApplication;
    let catalog: CatalogServer | undefined;

    beforeAll(async () => {
      if (kind === 'folder') {
        application = await startTestApplication();
        return;
      }
      catalog = await startCatalogServer();
      application = await startTestApplication(
        {},
        {
          catalog: { name: 'http', settings: { ...httpCatalogDefaults, url: catalog.url, token: 'secret' } },
        },
      );
    });

    afterEach(() => forgetAll(application));

    afterAll(async () => {
      await application.close();
      await catalog?.close();
    });

    async function sync(tableName: string) {
      await forgetAll(application);
      await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName });
      const { id } = await application.client.startSync({ syncType: 'FULL', options: { batchSize: 5 } });
      return ended(id);
    }

    /** The job and its errors, when it has ended at the first attempt. */
    async function ended(id: string) {
      const job = await application.client.waitForEnd(id);
      const { job: errored } = await application.client.send(JobErrors, { id, first: 200 });
      const { job: run } = await application.client.send(JobById, { id });
      expect(run?.partitions.nodes).toMatchObject([{ attempt: 1 }]);
      return { job, errors: errored?.errors.edges.map(({ node }) => node) ?? [] };
    }

    async function expectInCatalog(): Promise<void> {
      const items = await storedItems(application);
      expect(items.filter(({ uploadedAt }) => uploadedAt === null)).toEqual([]);
      if (catalog === undefined) {
        expect(await catalogContent(application)).toEqual(uploadedContent(items));
        return;
      }
      for (const { itemId, data, marking } of items) {
        const uploaded = catalog.items.get(`BLADE:sortie/${itemId}`);
        expect(uploaded).toMatchObject({ itemId, classificationMarking: marking });
        expect(JSON.parse(uploaded?.data ?? '')).toEqual(data);
      }
    }

    /** Each row of the table has become an item, with every cell as it was, or an error. */
    async function expectEachRow(written: Table, { job, errors }: Awaited<ReturnType<typeof sync>>) {
      const total = written.rows.length;
      expect(job).toMatchObject({
        state: 'COMPLETED',
        progress: { totalItems: total, processedItems: total },
      });
      const errorsById = new Map(errors.map((error) => [error.itemId, error]));
      expect(errorsById.size).toBe(job.progress.errorCount);
      const { successCount, errorCount, duplicateCount } = job.progress;
      expect(successCount + errorCount + duplicateCount).toBe(total);
      for (const { cells, isGood } of written.rows) {
        const itemId = String(cells[0]?.carried);
        const { data } = await application.client.sendRaw(
          'query ($itemId: String!) { item(dataType: "sortie", itemId: $itemId) { data uploadedAt } }',
          { itemId },
        );
        const item = data?.item as { data: Record<string, unknown>; uploadedAt: string } | null;
        const error = errorsById.get(itemId);
        if (isGood) expect(error).toBeUndefined();
        if (cells.some(({ carried }) => carried === UNREADABLE)) expect(item).toBeNull();
        if (item === null) {
          expect(error).toMatchObject({ stage: 'TRANSFORM', message: expect.stringMatching(/\w/) });
        } else {
          expect(error).toBeUndefined();
        }
        const kept = (item?.data ?? error?.row ?? null) as Record<string, unknown> | null;
        if (kept === null) continue;
        written.columns.forEach(({ name }, index) => {
          const { carried } = cells[index] ?? NULL;
          if (carried === undefined) return;
          const isKnown = name === 'Item_Id' || knownColumns.some((known) => known.name === name);
          const key = item !== null && isKnown ? name.toLowerCase() : String(shown(name));
          expect(Object.hasOwn(kept, key), `${key} is there`).toBe(true);
          const inItem = key === 'flight_hours' ? toNumber(cells[index] ?? NULL) : carried;
          expect(kept[key]).toEqual(item === null ? shown(carried) : inItem);
        });
      }
      await expectInCatalog();
    }

    test('become an item or an error each, and cost no other row', async () => {
      await fc.assert(
        fc.asyncProperty(table, async (written) => {
          await writeTable(application.warehouseFolder, 'poisoned', written);
          await expectEachRow(written, await sync('poisoned'));
        }),
        fuzzParameters(0.025, `rows ${kind}`),
      );
    });

    test('become an item or an error each when a query reads them, none marked lower than its job', async () => {
      const classifications = fc.constantFrom(undefined, 'CONFIDENTIAL', 'SECRET', 'TS');
      await fc.assert(
        fc.asyncProperty(table, classifications, async (written, classification) => {
          await writeTable(application.warehouseFolder, 'poisoned', written);
          await forgetAll(application);
          await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'poisoned' });
          const { id } = await application.client.startQueryJob({
            dataType: 'sortie',
            sqlQuery: 'SELECT * FROM blade.field.poisoned',
            ...(classification === undefined ? {} : { catalogConfig: { classification } }),
          });
          await expectEachRow(written, await ended(id));
          const least = toLevel(parseMarking(classification ?? 'CONFIDENTIAL') ?? 'TOP SECRET');
          for (const { marking } of await storedItems(application)) {
            expect(toLevel(isMarking(marking) ? marking : 'U')).toBeGreaterThanOrEqual(least);
          }
        }),
        fuzzParameters(0.015, `query ${kind}`),
      );
    });

    test('as ids name their item everywhere, or are an error', async () => {
      const ids = fc.uniqueArray(
        fc.oneof(
          fc.constantFrom(...texts.map(({ text }) => text ?? '')),
          fc.string({ unit: 'grapheme', maxLength: 40 }),
        ),
        {
          minLength: 3,
          maxLength: 15,
          selector: (id) => id.trim(),
        },
      );
      await fc.assert(
        fc.asyncProperty(ids, async (written) => {
          const rows = written.map((id, index) => ({
            isGood: false,
            cells: [plain(id), plain(`M-${index}`)],
          }));
          const columns = [
            { name: 'item_id', type: 'VARCHAR' },
            { name: 'mission_id', type: 'VARCHAR' },
          ];
          await writeTable(application.warehouseFolder, 'ids', { columns, rows });
          const { job, errors } = await sync('ids');
          expect(job).toMatchObject({ state: 'COMPLETED', progress: { processedItems: rows.length } });
          const failed = new Set(errors.map(({ row }) => (row as { mission_id: string }).mission_id));
          for (const [index, id] of written.entries()) {
            const itemId = id.trim();
            const isBad = itemId.length > 512 || itemId.includes('\0');
            expect(failed.has(`M-${index}`)).toBe(isBad);
            if (isBad || itemId === '') continue;
            const { data } = await application.client.sendRaw(
              `query ($itemId: String!, $id: ID!) {
              item(dataType: "sortie", itemId: $itemId) { itemId data catalogId }
              node(id: $id) { ... on BladeItem { itemId } }
              items(filter: { itemIdPrefix: $itemId }, first: 200) { edges { node { itemId } } }
            }`,
              { itemId, id: `BladeItem:${JSON.stringify(['sortie', itemId])}` },
            );
            expect(data).toMatchObject({
              item: {
                itemId,
                data: { item_id: id, mission_id: `M-${index}` },
                catalogId: `BLADE-sortie-${itemId}`,
              },
              node: { itemId },
              items: { edges: expect.arrayContaining([{ node: { itemId } }]) },
            });
          }
          await expectInCatalog();
        }),
        fuzzParameters(0.02, `ids ${kind}`),
      );
    });
  },
);

/** A line of a text file, and what becomes of it. */
interface Line {
  readonly bytes: Buffer;
  /** An item with these data, a row that fails alone, nothing at all, or a file that the engine refuses. */
  readonly fate: { readonly item: Record<string, unknown> } | 'error' | 'nothing' | 'refused';
}

const line = (written: string | Buffer, fate: Line['fate']): Line => ({ bytes: Buffer.from(written), fate });
const withBytes = (before: string, bytes: readonly number[], after: string) =>
  Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]);

/** Bytes that are not UTF-8: none at all, an overlong slash, half a surrogate pair, a cut character, one too large. */
const WRONG_BYTES = [
  [0xff, 0xfe],
  [0xc0, 0xaf],
  [0xed, 0xa0, 0x80],
  [0xe2, 0x82],
  [0xf4, 0x90, 0x80, 0x80],
];

/** Texts that a cell of a line can hold, without those that cannot be kept, or that look like the mark of UTF-8. */
const lineTexts = texts.filter(({ text }) => !text.includes('\0') && !text.startsWith('\ufeff'));

const itemLine = (data: Record<string, unknown>) => line(JSON.stringify(data), { item: data });
const deepLine = (open: string, close: string, depth: number) =>
  line(`{"item_id":"deep","deep":${open.repeat(depth)}1${close.repeat(depth)}}`, 'error');

/** What stands in place of a line of NDJSON, apart from good ones. */
const ndjsonPoison: readonly Line[] = [
  ...['', ' \t ', '\r'].map((text) => line(text, 'nothing')),
  ...['null', 'true', '1', '1e400', '"text"', '[]', '[{"item_id":"a"}]', '{}'].map((text) =>
    line(text, 'error'),
  ),
  ...[
    '{"item_id":"a\\u0000"}',
    '{"item_id":"b","note":"\\u0000"}',
    '{"item_id":"c","a\\u0000b":1}',
    '{"note":"no id"}',
  ].map((text) => line(text, 'error')),
  ...['{"item_id":"d","":1}', '{"item_id":"e","Item_Id":"f"}'].map((text) => line(text, 'error')),
  ...[deepLine('[', ']', 101), deepLine('{"a":', '}', 300), deepLine('[{"a":', '}]', 3_000)],
  ...[deepLine('[', ']', 20_000), deepLine('{"a":', '}', 20_000)],
  ...[
    '{"item_id":"g"',
    '{"item_id":}',
    'item_id',
    "{'item_id':'g'}",
    '{"item_id":"g"}{"item_id":"h"}',
    '\0',
    '{"item_id":"g\0"}',
  ].map((text) => line(text, 'refused')),
  ...[
    '{"item_id":"\\ud800"}',
    '{"item_id":"g","note":"a\\udc00b"}',
    '{"item_id":"g","\\udfff\\ud800":1}',
    '{"item_id":"\\x"}',
  ].map((text) => line(text, 'refused')),
  ...WRONG_BYTES.map((bytes) => line(withBytes('{"item_id":"g","note":"', bytes, '"}'), 'refused')),
  ...WRONG_BYTES.map((bytes) => line(withBytes('{"item_id":"g","', bytes, '":1}'), 'refused')),
];

const ndjsonLines: fc.Arbitrary<readonly Line[]> = fc
  .tuple(
    fc.array(
      fc.oneof(
        {
          weight: 3,
          arbitrary: fc.constantFrom(...lineTexts).map(({ text }) => ({ note: text })),
        },
        {
          weight: 1,
          arbitrary: fc.constantFrom(
            JSON.parse('{"__proto__":{"isAdmin":true}}'),
            { constructor: 'x', nested: { a: [1, { b: null }] } },
            { list: [] },
          ),
        },
      ),
      { minLength: 1, maxLength: 6 },
    ),
    fc.array(fc.constantFrom(...ndjsonPoison), { maxLength: 3 }),
    fc.infiniteStream(fc.nat()),
  )
  .map(([good, poison, order]) =>
    [...good.map((data, index) => itemLine(withId(`G-${index}`, data))), ...poison]
      .map((some) => ({ some, key: order.next().value ?? 0 }))
      .sort((left, right) => left.key - right.key)
      .map(({ some }) => some),
  );

/** The same data with an id; spread, a key named __proto__ stays one. */
function withId(itemId: string, data: object): Record<string, unknown> {
  return { item_id: itemId, ...data };
}

const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
const csvLine = (itemId: string, note: string, text: string | null) =>
  line(`${itemId},${quoted(note)},${text === null ? '' : quoted(text)}`, {
    item: { item_id: itemId, note, remark: text },
  });

/** Each swallows all that is behind it. */
const OPEN_LINES = ['open,"a,b', '"open,a,b', 'open,a,"b'].map((text) => line(text, 'refused'));

/** With only empty lines after it, such a line is one that was cut. */
function cutAtEnd(lines: readonly Line[]): readonly Line[] {
  const at = lines.findLastIndex(({ fate }) => fate !== 'nothing');
  const last = lines[at];
  const before = lines.slice(0, at).findLast(({ fate }) => fate !== 'nothing');
  const isCut = last !== undefined && OPEN_LINES.includes(last) && !(before && OPEN_LINES.includes(before));
  return isCut ? lines.with(at, { ...last, fate: 'error' }) : lines;
}

/** What stands in place of a line of CSV, apart from good ones. */
const csvPoison: readonly Line[] = [
  line('', 'nothing'),
  ...[' ,a,b', '"",a,b', ',"a","b"', 'a\0,b,c', 'a,b\0,c', '\0'].map((text) => line(text, 'error')),
  ...['short', 'short,a', 'long,a,b,c,"d"'].map((text) => line(text, 'error')),
  line('trailing,a,b,,', { item: { item_id: 'trailing', note: 'a', remark: 'b' } }),
  line('spaced, "a,b" ,c', { item: { item_id: 'spaced', note: 'a,b', remark: 'c' } }),
  line('within,a"b,c', { item: { item_id: 'within', note: 'a"b', remark: 'c' } }),
  ...['behind,"a"b,c', 'behind,a,"b" c'].map((text) => line(text, 'refused')),
  ...OPEN_LINES,
  ...WRONG_BYTES.map((bytes) => line(withBytes('bytes,"', bytes, '",c'), 'refused')),
  line(`wide,${'x'.repeat(3_000_000)},c`, 'refused'),
];

const csvLines: fc.Arbitrary<readonly Line[]> = fc
  .tuple(
    fc.array(
      fc.tuple(
        fc.constantFrom(...lineTexts.filter(({ text }) => text !== '')),
        fc.constantFrom(null, 'fine', 'a, b', 'a\nb'),
      ),
      { minLength: 2, maxLength: 6 },
    ),
    // Two lines with one id would be one item.
    fc.uniqueArray(fc.constantFrom(...csvPoison), { maxLength: 2 }),
    fc.nat(),
  )
  .map(([good, poison, place]) => {
    const lines = good.map(([{ text }, other], index) => csvLine(`G-${index}`, text, other));
    // Texts that are all numbers, or all times, would be a column of these.
    const first = csvLine('G-first', 'fine', 'fine');
    const at = place % (lines.length + 1);
    return cutAtEnd([first, ...lines.slice(0, at), ...poison, ...lines.slice(at)]);
  });

describe('a text file with poisoned lines', () => {
  let application: TestApplication;

  beforeAll(async () => {
    application = await startTestApplication();
  });

  afterAll(() => application.close());

  async function expectFates(file: string, lines: readonly Line[]): Promise<void> {
    await forgetAll(application);
    await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'lines' });
    for (const ending of ['ndjson', 'csv'])
      await rm(join(application.warehouseFolder, `blade/field/lines.${ending}`), { force: true });
    const head = file.endsWith('.csv') ? [Buffer.from('item_id,note,remark')] : [];
    const written = [...head, ...lines.map(({ bytes }) => bytes)].flatMap((bytes) => [
      bytes,
      Buffer.from('\n'),
    ]);
    await mkdir(join(application.warehouseFolder, 'blade/field'), { recursive: true });
    await writeFile(join(application.warehouseFolder, 'blade/field', file), Buffer.concat(written));

    const { id } = await application.client.startSync({ syncType: 'FULL', options: { batchSize: 3 } });
    const job = await application.client.waitForEnd(id);
    const items = await storedItems(application);
    if (lines.some(({ fate }) => fate === 'refused')) {
      expect(job).toMatchObject({
        state: 'FAILED',
        failureReason: expect.stringMatching(/^Sorties: .*(line|file)/i),
      });
      expect(job.failureReason).not.toMatch(/[\\/]|ignore_errors|auto_detect|LINE 1/);
      expect(items).toEqual([]);
      return;
    }
    const good = lines.flatMap(({ fate }) => (typeof fate === 'object' ? [fate.item] : []));
    const failed = lines.filter(({ fate }) => fate === 'error').length;
    expect(job).toMatchObject({
      state: 'COMPLETED',
      progress: {
        totalItems: good.length + failed,
        successCount: good.length,
        errorCount: failed,
      },
    });
    for (const data of good) {
      const item = items.find(({ itemId }) => itemId === data.item_id);
      for (const [key, value] of Object.entries(data)) expect(item?.data[key]).toEqual(value);
    }
    expect(await catalogContent(application)).toEqual(uploadedContent(items));

    // The next sync knows most of the rows, and tells the same of them.
    const next = await application.client.startSync({ syncType: 'FULL', options: { batchSize: 3 } });
    const again = await application.client.waitForEnd(next.id);
    const timeless = { itemsPerSecond: null, elapsedSeconds: null };
    const byType = job.progress.byType.map(withoutChanges);
    expect({ ...again.progress, ...timeless }).toEqual({
      ...withoutChanges(job.progress),
      ...{ byType, ...timeless },
    });
    expect(await storedItems(application)).toEqual(items);
  }

  test('of NDJSON becomes items and errors, or is refused as a whole by its line', async () => {
    await fc.assert(
      fc.asyncProperty(ndjsonLines, (lines) => expectFates('lines.ndjson', lines)),
      fuzzParameters(0.025, 'ndjson'),
    );
  });

  test('of CSV becomes items and errors, or is refused as a whole by its line', async () => {
    await fc.assert(
      fc.asyncProperty(csvLines, (lines) => expectFates('lines.csv', lines)),
      fuzzParameters(0.025, 'csv'),
    );
  });
});

/** The counts of a sync that finds the same rows again. */
function withoutChanges<Counts extends { successCount: number }>(counts: Counts) {
  return { ...counts, insertedCount: 0, updatedCount: 0, unchangedCount: counts.successCount };
}
