import fc from 'fast-check';

/**
 * A value as it is written, so that it can be what no value of JavaScript is: a number beyond all numbers, or an object
 * that has a key twice.
 */
export type Written =
  | { readonly kind: 'leaf'; readonly text: string }
  | { readonly kind: 'enum'; readonly name: string }
  | { readonly kind: 'list'; readonly items: readonly Written[] }
  | { readonly kind: 'object'; readonly members: readonly (readonly [string, Written])[] };

export const leaf = (text: string): Written => ({ kind: 'leaf', text });
export const text = (value: string): Written => leaf(JSON.stringify(value));
export const list = (...items: Written[]): Written => ({ kind: 'list', items });
export const object = (...members: (readonly [string, Written])[]): Written => ({ kind: 'object', members });

/** The value as JSON has it. */
export function asJson(written: Written): string {
  switch (written.kind) {
    case 'leaf':
      return written.text;
    case 'enum':
      return JSON.stringify(written.name);
    case 'list':
      return `[${written.items.map(asJson).join(',')}]`;
    case 'object':
      return `{${written.members.map(([key, value]) => `${JSON.stringify(key)}:${asJson(value)}`).join(',')}}`;
  }
}

/** Whether an object in the value, at any depth, has a key twice. */
export function hasKeyTwice(written: Written): boolean {
  if (written.kind === 'list') return written.items.some(hasKeyTwice);
  if (written.kind !== 'object') return false;
  const keys = written.members.map(([key]) => key);
  return new Set(keys).size < keys.length || written.members.some(([, member]) => hasKeyTwice(member));
}

/** The value as it stands in an operation of GraphQL: keys without quotes. */
export function asGraphql(written: Written): string {
  switch (written.kind) {
    case 'leaf':
      return written.text;
    case 'enum':
      return written.name;
    case 'list':
      return `[${written.items.map(asGraphql).join(',')}]`;
    case 'object':
      return `{${written.members.map(([key, value]) => `${key}:${asGraphql(value)}`).join(',')}}`;
  }
}

/** Numbers at the edges of what their takers hold, and beyond. */
export const poisonedNumbers = [
  ...['0', '-0', '-1', '1.5', '1e2', '-0.0', '5e-324', '1e-400', '1e308', '1e400', '-1e400', '0.1'],
  ...['2147483647', '2147483648', '-2147483648', '-2147483649', '4294967296'],
  ...['9007199254740991', '9007199254740993', '-9007199254740993', '9223372036854775808'],
  ...['123456789012345678901234567890', '1e21', '8640000000000001'],
] as const;

/** Texts that something on their way may take for something else, or that it cannot hold. */
export const poisonedTexts = [
  ...[
    '',
    ' ',
    '\t\n',
    '\0',
    'a\0b',
    '\ud800',
    'a\udc00b',
    '\udfff\ud800',
    '\ufeff',
    '\u202e',
    '\u2028',
    '\x7f',
  ],
  ...[
    'é',
    'e\u0301',
    'ﬁ',
    'K',
    'ſecret',
    'unclassıfied',
    'İ',
    'ß',
    '😀',
    '👩‍👩‍👧',
    '\u{10ffff}',
    '\ufffd',
    '\uffff',
  ],
  ...[
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    'null',
    'undefined',
    'NaN',
    'true',
  ],
  ...[
    "'",
    '"',
    '`',
    '\\',
    '\\u0000',
    '%',
    '_',
    '*',
    '?',
    '$1',
    ':a',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is meant as it stands
    '${a}',
    '{{a}}',
    '--',
    '/*',
    ';',
    '\r\n\r\n',
  ],
  ...[
    "' OR 1=1 --",
    '"; DROP TABLE job; --',
    '<script>',
    '../../etc/passwd',
    'a.b',
    'a"b',
    '{"a":1}',
    '[1,2]',
  ],
  ...['-1', '1e400', '0x10', 'Infinity', '٣', '１', '9007199254740993'],
] as const;

/** Long texts: of a length that a check refuses, that an index cannot hold, and that takes a while. */
const longTexts = ['x'.repeat(300), 'é'.repeat(3_000), '😀'.repeat(20_000), '\0'.repeat(2_000)];

/** Dates and times, good ones and such as there are not. */
export const poisonedTimes = [
  ...['2026-02-30T00:00:00Z', '2026-13-01T00:00:00Z', '2026-01-01T24:00:00Z', '2026-01-01T23:59:60Z'],
  ...['0000-01-01T00:00:00Z', '0000-02-29T12:00:00Z', '0001-01-01T00:00:00Z', '0001-01-01T00:00:00+23:59'],
  ...['9999-12-31T23:59:59Z', '9999-12-31T23:59:59.999999999-23:59', '10000-01-01T00:00:00Z'],
  ...['+275760-09-13T00:00:00Z', '-000001-01-01T00:00:00Z', '-271821-04-20T00:00:00Z', 'infinity', 'now'],
  ...[
    '2026-01-01',
    '2026-01-01T00:00:00',
    '2026-01-01 00:00:00Z',
    '2026-01-01t00:00:00z',
    '1970-01-01T00:00:00Z',
  ],
] as const;

const EXAMPLE = '01997f3e-8c1a-7000-8000-000000000000';
const base64 = (value: string) => Buffer.from(value).toString('base64');

/** Ids and cursors, whole and broken. */
const poisonedIds = [
  ...[
    'Job:',
    ':',
    'Job',
    `Job:${EXAMPLE}`,
    EXAMPLE,
    `Job:${EXAMPLE}0`,
    `Job:Job:${EXAMPLE}`,
    `job:${EXAMPLE}`,
  ],
  ...[`DataSource:${EXAMPLE}`, `JobPartition:${EXAMPLE}`, `ScheduledRun:${EXAMPLE}`, `ApiKey:${EXAMPLE}`],
  ...[`JobError:${EXAMPLE}`, 'JobError:1', 'JobError:-1', 'JobError:1e3', 'JobError:9223372036854775808'],
  ...[
    'BladeItem:["sortie","\\u0000"]',
    'BladeItem:["sortie","\\ud800"]',
    'BladeItem:["sortie",{}]',
    'BladeItem:{}',
  ],
  ...['BladeItem:["__proto__","a"]', 'BladeItem:["sortie","a"]', `BladeItem:${'['.repeat(5_000)}`],
  ...['__proto__:a', 'constructor:a', `__proto__:${EXAMPLE}`, `toString:${EXAMPLE}`],
  ...[base64('GPC:'), base64('GPC:S:'), base64(`GPC:S:${EXAMPLE}`), base64('GPC:S:\0'), base64('GPC:N:NaN')],
  ...[base64('GPC:N:1e400'), base64('GPC:I:'), base64('GPC:I:-1'), base64('GPC:I:9223372036854775808')],
  ...[base64('GPC:D:8640000000000001'), base64('GPC:D:x'), base64('GPC:J:'), base64('GPC:J:["a","\\ud800"]')],
  ...[
    base64('GPC:J:{"__proto__":1}'),
    base64(`GPC:J:${'['.repeat(5_000)}`),
    base64('GPC:B:1'),
    'R1BD',
    '====',
    'é',
  ],
] as const;

/** What people write into single fields, nearly right. */
const poisonedWords = [
  ...[
    'sortie',
    'SORTIE',
    ' sortie',
    'sortie\0',
    'maintenance',
    'TOP SECRET',
    'ts',
    ' secret ',
    'S\u200b',
    'NATO',
  ],
  ...[
    '* * * * *',
    '0 0 30 2 *',
    '*/0 * * * *',
    '*/99999999999 * * * *',
    '0-0 * * * *',
    '5-1 * * * *',
    '0 0 * * 8',
  ],
  ...[
    '0 0 L * *',
    '0 0 * * 1#6',
    'H H * * *',
    '@yearly',
    '1,1,1,1,1,1,1 * * * *',
    '0/1 * * * *',
    '-1 * * * *',
  ],
  ...['0 0 1 JAN MON', '٠ * * * *', '1e1 * * * *', '* * * * *\n* * * * *', '? ? ? ? ?', '59 23 29 2 1'],
  ...['UTC', 'utc', 'UTC+14', 'UTC+25', '+01:00', '+99:99', 'Etc/GMT+12', 'EST5EDT', 'europe/berlin', 'GMT0'],
  ...[
    'SELECT 1',
    'SELECT * FROM blade.field.sortie',
    'SELECT :a',
    'SELECT :__proto__ AS x',
    'SELECT :toString AS x',
  ],
  ...[
    'SELECT 1e400',
    'SELECT item_id AS `__proto__` FROM blade.field.sortie',
    'SELECT 1/0',
    "SELECT '\\0' AS a",
  ],
  ...[
    "item_id = 'a'",
    'flight_hours > 1e400',
    'flight_hours > 9223372036854775808',
    '`a``b` = 1',
    '1 = 1',
    'true',
  ],
  ...[
    '(((((((((((1=1)))))))))))',
    "item_id LIKE '%' ESCAPE ''",
    "item_id RLIKE '('",
    'item_id IN ()',
    'a = {d 1}',
  ],
] as const;

/** Nested as deep as this in lists, or in objects. */
function nested(depth: number, shape: 'list' | 'object' | 'both'): Written {
  const open = { list: '[', object: '{"a":', both: '[{"a":' }[shape];
  const close = { list: ']', object: '}', both: '}]' }[shape];
  return leaf(`${open.repeat(depth)}1${close.repeat(depth)}`);
}

export const poisonedTrees = [
  ...[list(), object(), list(list()), list(leaf('null')), object(['', leaf('1')])],
  ...[object(['a', leaf('1')], ['a', leaf('2')]), object(['__proto__', leaf('1')])],
  ...[object(['__proto__', object(['isAdmin', leaf('true')])]), object(['__proto__', leaf('null')])],
  ...[object(['constructor', object(['prototype', object(['isAdmin', leaf('true')])])])],
  ...[object(['toJSON', text('x')]), object(['then', text('x')]), object(['length', leaf('1e9')])],
  ...[object(['$type', text('Raw')], ['value', text('x')]), object(['$type', text('FieldRef')])],
  ...[
    object(['a,b', leaf('1')]),
    object(['a"b', leaf('1')]),
    object(['{a}', leaf('1')]),
    object(['\\', leaf('1')]),
  ],
  ...[
    object(['\0', leaf('1')]),
    object(['\ud800', leaf('1')]),
    object(['a', text('\0')]),
    object(['a', leaf('1e400')]),
  ],
  ...[object(['priority', leaf('null')]), object(['priority', list()]), object(['priority', object()])],
  ...[
    nested(50, 'both'),
    nested(99, 'list'),
    nested(101, 'object'),
    nested(500, 'list'),
    nested(3_000, 'object'),
  ],
  ...[nested(20_000, 'list'), nested(20_000, 'object')],
] as const;

const anyText = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...poisonedTexts) },
  { weight: 4, arbitrary: fc.constantFrom(...poisonedIds) },
  { weight: 4, arbitrary: fc.constantFrom(...poisonedWords) },
  { weight: 2, arbitrary: fc.constantFrom(...poisonedTimes) },
  { weight: 1, arbitrary: fc.constantFrom(...longTexts) },
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 30 }) },
  {
    weight: 1,
    arbitrary: fc
      .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 })
      .map((units) => String.fromCharCode(...units)),
  },
);

export const poisonedText: fc.Arbitrary<Written> = anyText.map(text);
export const poisonedNumber: fc.Arbitrary<Written> = fc.oneof(
  fc.constantFrom(...poisonedNumbers).map(leaf),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => leaf(JSON.stringify(value))),
);
export const poisonedTime: fc.Arbitrary<Written> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...poisonedTimes).map(text) },
  { weight: 2, arbitrary: fc.date({ noInvalidDate: true }).map((date) => text(date.toISOString())) },
  { weight: 1, arbitrary: poisonedNumber },
);
export const poisonedId: fc.Arbitrary<Written> = fc.constantFrom(...poisonedIds).map(text);
export const poisonedTree: fc.Arbitrary<Written> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...poisonedTrees) },
  {
    weight: 2,
    arbitrary: fc
      .array(fc.tuple(anyText, fc.oneof(poisonedText, poisonedNumber)), { maxLength: 4 })
      .map((members): Written => ({ kind: 'object', members })),
  },
);

/** Any of them, and what is of no kind that a field wants. */
export const poison: fc.Arbitrary<Written> = fc.oneof(
  { weight: 5, arbitrary: poisonedText },
  { weight: 3, arbitrary: poisonedNumber },
  { weight: 3, arbitrary: poisonedTree },
  { weight: 2, arbitrary: fc.constantFrom('null', 'true', 'false').map(leaf) },
);
