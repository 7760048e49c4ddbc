import { describe, expect, test } from 'vitest';
import type { BladeItem } from '../../src/data-types/blade-item.ts';
import type { DataType } from '../../src/data-types/data-type.ts';
import { createTransform, type TransformOptions, toStorableRowJson } from '../../src/ingestion/transform.ts';
import { checkMetadata } from '../../src/jobs/input/check-metadata.ts';
import { createRegistry } from '../../src/plugins/registry.ts';
import type { JsonObject, JsonValue } from '../../src/shared/json.ts';
import type { Row } from '../../src/warehouse/warehouse.ts';

const { dataTypes } = createRegistry([]);

describe('the id of an item', () => {
  test('is the item_id column as text, without the spaces around it', () => {
    expect(toItem({ item_id: ' S-1 ' }).itemId).toBe('S-1');
    expect(toItem({ item_id: 42 }).itemId).toBe('42');
    expect(toItem({ item_id: 0 }).itemId).toBe('0');
    expect(toItem({ item_id: 1e21 }).itemId).toBe('1e+21');
    expect(toItem({ item_id: false }).itemId).toBe('false');
  });

  test('comes from the content where only another identifying column is filled in', () => {
    const { itemId } = toItem({ item_id: '', mission_id: 'M-1', flight_hours: 2 });
    expect(itemId).toMatch(/^sha256-[0-9a-f]{32}$/);
    expect(toItem({ flight_hours: 2, mission_id: 'M-1', item_id: '' }).itemId).toBe(itemId);
    expect(toItem({ MISSION_ID: 'M-1', ITEM_ID: '', FLIGHT_HOURS: 2 }).itemId).toBe(itemId);
    expect(toItem({ item_id: '', mission_id: 'M-1', flight_hours: 3 }).itemId).not.toBe(itemId);
    expect(toItem({ item_id: '', mission_id: 'M-1', flight_hours: 2 }, { lowestMarking: 'TS' }).itemId).toBe(
      itemId,
    );
  });

  test.each([{}, { item_id: null }, { item_id: '  ', mission_id: '' }, { flight_hours: 2, colour: 'grey' }])(
    'cannot be found in %j, and the message says which columns would do',
    (row) => {
      expect(toFailure(row)).toEqual({
        itemId: null,
        message: 'No id: a sortie row needs item_id or mission_id.',
      });
    },
  );

  test('has at most 512 characters', () => {
    expect(toItem({ item_id: 'x'.repeat(512) }).itemId).toHaveLength(512);
    const { itemId, message } = toFailure({ item_id: 'x'.repeat(513) });
    expect(itemId).toBe(`${'x'.repeat(511)}…`);
    expect(message).toMatch(/^item_id must be at most 512 characters long; "x{80}…" has 513\.$/);
  });

  test('is not taken from a list or an object', () => {
    expect(toFailure({ item_id: ['S-1'], mission_id: 'M-1' })).toEqual({
      itemId: null,
      message: 'item_id must be text, not a list.',
    });
  });
});

describe('the marking of an item', () => {
  test.each(dataTypes.all)('is the default of $name where the row has none', (dataType) => {
    const row = { item_id: '1', classification_marking: ' ', classification: null };
    expect(toItem(row, { dataType }).classificationMarking).toBe(dataType.defaultMarking);
  });

  test('is that of the row, first of classification_marking and then of classification', () => {
    expect(toItem({ item_id: '1', classification: 'secret' }).classificationMarking).toBe('SECRET');
    expect(
      toItem({ item_id: '1', classification: 'S', Classification_Marking: ' ts ' }).classificationMarking,
    ).toBe('TS');
  });

  test('is that of the query job where that is higher, and the own one of the row where that is', () => {
    const toMarking = (own: string | null) =>
      toItem({ item_id: '1', classification: own }, { lowestMarking: 'CUI' }).classificationMarking;
    expect(toMarking('U')).toBe('CUI');
    expect(toMarking('cui')).toBe('CUI');
    expect(toMarking('ts')).toBe('TS');
    expect(toMarking(null)).toBe('CONFIDENTIAL');
  });

  test('has to be known of the row even where the query job has one: it may be higher', () => {
    const row = { item_id: '1', classification: 'COSMIC' };
    expect(toFailure(row, { lowestMarking: 'CUI' }).message).toContain('must be one of');
  });

  test('is that of a failed row as far as it can be told, and otherwise the highest', () => {
    const toMarking = (row: Row, options?: Partial<TransformOptions>) =>
      failToTransform(row, options).marking;
    const bad = { item_id: '1', flight_hours: 'two' };
    expect(toMarking(bad)).toBe('CONFIDENTIAL');
    expect(toMarking({ ...bad, classification: 'u' })).toBe('U');
    expect(toMarking({ ...bad, classification: 'u' }, { lowestMarking: 'SECRET' })).toBe('SECRET');
    expect(toMarking({ classification: 'S' })).toBe('S');
    expect(toMarking({ ...bad, classification: 'COSMIC' })).toBe('TOP SECRET');
    expect(toMarking({ item_id: '1', classification: 'U', CLASSIFICATION: 'S' })).toBe('TOP SECRET');
  });

  test('must be a known one', () => {
    expect(toFailure({ item_id: '1', CLASSIFICATION: `COSMIC${'C'.repeat(200)}` })).toEqual({
      itemId: '1',
      message: `CLASSIFICATION must be one of U, UNCLASSIFIED, CUI, C, CONFIDENTIAL, S, SECRET, TS, TOP SECRET, not "COSMIC${'C'.repeat(74)}…".`,
    });
    expect(toFailure({ item_id: '1', classification: 3 }).message).toContain('not 3.');
  });
});

describe('the data of an item', () => {
  test('is the whole row, unknown columns included, as it was read', () => {
    const row = {
      item_id: '1',
      flight_hours: '2.50',
      mission_status: '',
      squadron: { name: 'Ωmega', ranks: [1, null] },
    };
    expect(JSON.parse(toItem(row).data)).toEqual(row);
  });

  test('has known columns in lower case and unknown ones as they are', () => {
    const item = toItem({ ITEM_ID: '1', Flight_Hours: 2, Squadron: 'A', squadron: 'B' });
    expect(JSON.parse(item.data)).toEqual({ item_id: '1', flight_hours: 2, Squadron: 'A', squadron: 'B' });
  });

  test('has a column whose name only looks like a known one as it is', () => {
    const row = { item_id: '1', work_order: 'W-1', 'wor\u212a_order': ['no text'] };
    expect(JSON.parse(toItem(row, { dataType: findDataType('maintenance') }).data)).toEqual(row);
  });

  test('cannot have one known column twice', () => {
    expect(toFailure({ item_id: '1', ITEM_ID: '2' })).toEqual({
      itemId: null,
      message: 'Columns item_id and ITEM_ID are the same column: a row can have only one of them.',
    });
  });

  test('keeps texts that JSON has to escape', () => {
    const description = 'a "quoted" back\\slash\\u0000 line\nfeed \u2028 \u0001 😀 é';
    expect(JSON.parse(toItem({ item_id: '1', description }).data)).toEqual({ item_id: '1', description });
  });

  test('keeps a column named __proto__, and nothing comes of it', () => {
    const row: Row = JSON.parse(
      '{"item_id":"1","__proto__":{"item_id":"2","polluted":true},"constructor":1}',
    );
    expect(JSON.parse(toItem(row).data)).toEqual(row);
    expect(toItem(row).itemId).toBe('1');
    expect({}).not.toHaveProperty('polluted');
    expect(toFailure(JSON.parse('{"__proto__":{"item_id":"2"}}')).message).toContain('No id');
  });

  test('keeps the largest and the smallest numbers', () => {
    const row = {
      item_id: '1',
      flight_hours: Number.MAX_VALUE,
      a: Number.MIN_VALUE,
      b: 2 ** 53 + 2,
      c: -1e-7,
    };
    expect(JSON.parse(toItem(row).data)).toEqual(row);
  });
});

describe('a row that cannot be stored', () => {
  test.each<[string, Row, string]>([
    ['a NUL character', { pilot_callsign: 'VI\0PER' }, 'Column pilot_callsign holds a NUL character'],
    ['a NUL character deep inside', { crew: [{ name: ['\0'] }] }, 'Column crew holds a NUL character'],
    ['a NUL character in a key', { crew: { 'na\0me': 1 } }, 'Column crew holds a NUL character'],
    ['a NUL character in a name', { 'cr\0ew': 1 }, 'The name of column "cr\\u0000ew" holds a NUL character'],
    ['half a surrogate pair', { crew: 'a\ud83d' }, 'Column crew holds half a surrogate pair'],
    ['a reversed surrogate pair', { crew: '\ude00\ud83d' }, 'Column crew holds half a surrogate pair'],
    [
      'half a pair in a name',
      { 'cr\udc00ew': 1 },
      'The name of column "cr\\udc00ew" holds half a surrogate pair',
    ],
    ['too deep nesting', { crew: nested(101) }, 'Column crew is nested more than 100 levels deep'],
    ['far too deep nesting', { crew: nested(100_000) }, 'Column crew is nested more than 100 levels deep'],
    ['no number', { crew: Number.NaN }, 'Column crew is NaN'],
  ])('for %s says so and names the column', (_reason, columns, message) => {
    const failure = toFailure({ item_id: '1', ...columns });
    expect(failure.message).toContain(message);
    expect(failure.message).not.toContain('\0');
    expect(failure.message.isWellFormed()).toBe(true);
  });

  test('for its id gives one that can be stored, and so is that of no other item', () => {
    expect(toFailure({ item_id: 'S\0' }).itemId).toBe('S\ufffd');
    expect(toFailure({ item_id: 'S\ud800' }).itemId).toBe('S\ufffd');
  });

  test('for its size names its longest column', () => {
    const failure = toFailure({
      item_id: '1',
      mission_status: 'x'.repeat(10),
      description: 'é'.repeat(600_000),
    });
    expect(failure).toEqual({
      itemId: '1',
      message: 'The row is larger than 1048576 bytes as JSON; its longest column is description.',
    });
  });

  test('is still an item at the limits', () => {
    expect(toItem({ item_id: '1', crew: nested(100) }).itemId).toBe('1');
    const filling = 1_048_576 - '{"description":"","item_id":"1"}'.length;
    expect(toItem({ item_id: '1', description: 'x'.repeat(filling) }).data).toHaveLength(1_048_576);
    expect(toFailure({ item_id: '1', description: 'x'.repeat(filling + 1) }).message).toContain(
      'larger than',
    );
  });
});

describe('a column of the wrong type', () => {
  test('is named as the table names it, with what would be right and what was there', () => {
    expect(toFailure({ item_id: '1', FLIGHT_HOURS: 'two', scheduled_departure: '2024-02-30' })).toEqual({
      itemId: '1',
      message:
        'scheduled_departure must be a date and time such as 2024-03-31T08:30:00Z, not "2024-02-30". ' +
        'FLIGHT_HOURS must be a number, not "two".',
    });
  });

  test('gives a message of bounded length', () => {
    const row = Object.fromEntries(
      (dataTypes.find('sortie')?.columns ?? []).map(({ name }) => [
        name,
        name === 'flight_hours' ? '😀'.repeat(9999) : [],
      ]),
    );
    expect(toFailure(row).message.length).toBeLessThan(500);
    const { message } = toFailure({ item_id: '1', flight_hours: '😀'.repeat(9999) });
    expect(message).toBe(`flight_hours must be a number, not "${'😀'.repeat(80)}…".`);
  });
});

describe('the metadata of an item', () => {
  test('is that of the source, with that of the job laid over it', () => {
    const { metadata } = toItem(
      { item_id: '1' },
      {
        sourceMetadata: { source: 'a', table: 'b' },
        extraMetadata: { table: 'mine', nested: { z: 1, a: [2] } },
      },
    );
    expect(metadata).toBe('{"nested":{"a":[2],"z":1},"source":"a","table":"mine"}');
  });

  test('may have a key named __proto__, which is a key like any other', () => {
    const extraMetadata: JsonObject = JSON.parse('{"__proto__":{"polluted":true}}');
    expect(toItem({ item_id: '1' }, { sourceMetadata: { a: 1 }, extraMetadata }).metadata).toBe(
      '{"__proto__":{"polluted":true},"a":1}',
    );
    expect({}).not.toHaveProperty('polluted');
  });

  test('can be checked before a job starts', () => {
    expect(checkMetadata({ fine: ['yes'] })).toBeNull();
    expect(checkMetadata({ name: '\0' })).toContain('NUL character');
    expect(checkMetadata({ name: nested(200) })).toContain('nested more than 100 levels');
    expect(checkMetadata({ name: 'x'.repeat(1_048_576) })).toContain('larger than 1048576 bytes');
  });
});

describe('the content hash', () => {
  const row = { item_id: '1', flight_hours: 2, crew: { b: 1, a: 2 } };
  const { contentHash } = toItem(row);

  test('is the same for the same content, whatever the order of columns and keys', () => {
    expect(contentHash).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(toItem({ crew: { a: 2, b: 1 }, FLIGHT_HOURS: 2, ITEM_ID: '1' }).contentHash).toBe(contentHash);
  });

  test('is another one when marking, data or metadata change', () => {
    const hashes = [
      contentHash,
      toItem(row, { lowestMarking: 'TS' }).contentHash,
      toItem({ ...row, flight_hours: 3 }).contentHash,
      toItem({ ...row, flight_hours: '2' }).contentHash,
      toItem({ ...row, added: null }).contentHash,
      toItem(row, { extraMetadata: { added: null } }).contentHash,
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
  });
});

test('rows of changing shapes go through one transform without disturbing each other', () => {
  const transform = createTransform(createOptions({}));
  for (let index = 0; index < 1_000; index++) {
    const row = { [`extra_${index % 300}`]: index, [index % 2 === 0 ? 'item_id' : 'ITEM_ID']: `S-${index}` };
    const outcome = transform(row);
    expect(outcome.ok && JSON.parse(outcome.item.data)).toEqual({
      [`extra_${index % 300}`]: index,
      item_id: `S-${index}`,
    });
  }
});

test('no value whatever makes it throw', () => {
  const cyclic: Record<string, unknown> = { item_id: '1' };
  cyclic.self = cyclic;
  const nasty: unknown[] = [
    null,
    undefined,
    42,
    'row',
    [],
    [1],
    cyclic,
    { item_id: 1n },
    { item_id: Symbol('id') },
    { item_id: '1', column: () => 1 },
    { item_id: '1', column: new Date(0) },
    { item_id: '1', column: new Map() },
    { item_id: '1', flight_hours: 1n },
    { item_id: '1', classification: Object.create(null) },
    {
      get item_id() {
        throw new Error('no');
      },
    },
    new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('no');
        },
      },
    ),
  ];
  const transform = createTransform(createOptions({}));
  for (const row of nasty) {
    const outcome = transform(row as Row);
    expect(outcome).toMatchObject({ ok: false, message: expect.stringMatching(/\.$/) });
  }
});

test('a row that failed is kept as JSON where PostgreSQL can hold it', () => {
  expect(toStorableRowJson({ ITEM_ID: '1', a: [] })).toBe('{"ITEM_ID":"1","a":[]}');
  expect(toStorableRowJson({ item_id: '\0' })).toBeNull();
  const deepest = `${'['.repeat(100)}${']'.repeat(100)}`;
  expect(toStorableRowJson({ crew: JSON.parse(deepest) }), 'as deep as an item may be').toBe(
    `{"crew":${deepest}}`,
  );
  expect(toStorableRowJson({ crew: [JSON.parse(deepest)] })).toBeNull();
  expect(toStorableRowJson({ item_id: 'x'.repeat(1_048_576) })).toBeNull();
});

function createOptions(changes: Partial<TransformOptions>): TransformOptions {
  return { dataType: findDataType('sortie'), sourceMetadata: { source: 'flights' }, ...changes };
}

function findDataType(name: string): DataType {
  const dataType = dataTypes.find(name);
  if (dataType === undefined) throw new Error(`There is no data type ${name}.`);
  return dataType;
}

function toItem(row: Row, changes: Partial<TransformOptions> = {}): BladeItem {
  const outcome = createTransform(createOptions(changes))(row);
  if (!outcome.ok) {
    throw new Error(outcome.message);
  }
  return outcome.item;
}

function toFailure(row: Row, options: Partial<TransformOptions> = {}) {
  const { itemId, message } = failToTransform(row, options);
  return { itemId, message };
}

function failToTransform(row: Row, options: Partial<TransformOptions> = {}) {
  const outcome = createTransform(createOptions(options))(row);
  if (outcome.ok) {
    throw new Error(`The row became item ${outcome.item.itemId}.`);
  }
  return outcome;
}

function nested(depth: number): JsonValue {
  let value: JsonValue = 'deep';
  for (let level = 0; level < depth; level++) {
    value = [value];
  }
  return value;
}
