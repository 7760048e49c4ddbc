import { readFile } from 'node:fs/promises';
import {
  buildSchema,
  findBreakingChanges,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  printSchema,
} from 'graphql';
import { expect, test } from 'vitest';
import { schema } from '../../src/api/schema/schema.ts';

const released = await readFile(new URL('../../released-schema.graphql', import.meta.url), 'utf8');

/** Describes what no longer works for clients of a schema. What was deprecated in it may be gone. */
function listBreaks(before: string, after: GraphQLSchema): string[] {
  const old = buildSchema(before);
  const deprecated = new Set(listDeprecated(old));
  return findBreakingChanges(old, after)
    .map(({ description }) => description)
    .filter((description) => {
      const [, removed = ''] = /^(?:Field|Enum value|Argument) (\S+) was removed/.exec(description) ?? [];
      return !deprecated.has(removed);
    });
}

/** Lists what is deprecated by its coordinates, such as `Job.state` or `Query.jobs(filter:)`. */
function* listDeprecated(of: GraphQLSchema): Generator<string> {
  for (const type of Object.values(of.getTypeMap())) {
    if (isEnumType(type))
      for (const { name, deprecationReason } of type.getValues())
        if (deprecationReason != null) yield `${type}.${name}`;
    if (!(isObjectType(type) || isInterfaceType(type) || isInputObjectType(type))) continue;
    for (const field of Object.values(type.getFields())) {
      if (field.deprecationReason != null) yield `${type}.${field.name}`;
      for (const { name, deprecationReason } of 'args' in field ? field.args : [])
        if (deprecationReason != null) yield `${type}.${field.name}(${name}:)`;
    }
  }
}

test('no client of the last release breaks', () => {
  expect(
    listBreaks(released, schema),
    'these changes break clients: see docs/schema-changes.md for what to do instead',
  ).toEqual([]);
});

/** Without descriptions, so that a part can be taken out. */
const text = printSchema(schema).replaceAll(/^ *"""[\s\S]*?"""\n/gm, '');
const change = (from: string | RegExp, to: string) => {
  const changed = text.replace(from, to);
  expect(changed).not.toBe(text);
  return listBreaks(text, buildSchema(changed));
};

test.each([
  ['a field that is gone', 'recentErrors: [String!]!', ''],
  ['a field that can be null', 'recentErrors: [String!]!', 'recentErrors: [String!]'],
  ['an argument that is needed', 'filter: JobFilter\n', 'filter: JobFilter!\n'],
  ['an enum value that is gone', /\n {2}QUERY\n/, '\n'],
  ['a member of a union that is gone', 'CancelJobSuccess | ', ''],
  ['an input field that is needed', 'input CancelJobInput {', 'input CancelJobInput {\n  why: String!'],
])('%s is a break', (_, from, to) => {
  expect(change(from, to)).not.toEqual([]);
});

test.each([
  ['a new field', 'recentErrors: [String!]!', 'recentErrors: [String!]!\n  more: String'],
  ['a new input field', 'input CancelJobInput {', 'input CancelJobInput {\n  why: String'],
  ['a new enum value', /\n {2}QUERY\n/, '\n  QUERY\n  OTHER\n'],
  ['a new member of a union', 'union CancelJobResult = ', 'union CancelJobResult = Job | '],
])('%s is none', (_, from, to) => {
  expect(change(from, to)).toEqual([]);
});

test('the removal of what was deprecated is no break', () => {
  const before = text.replace(
    'recentErrors: [String!]!',
    'recentErrors: [String!]! @deprecated(reason: "Since 1.2: use errors.")',
  );
  const after = buildSchema(text.replace('recentErrors: [String!]!', ''));
  expect(listBreaks(before, after)).toEqual([]);
  expect(listBreaks(text, after)).toHaveLength(1);
});
