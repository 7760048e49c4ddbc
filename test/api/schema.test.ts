import { readFile } from 'node:fs/promises';
import {
  type GraphQLArgument,
  GraphQLEnumType,
  type GraphQLInputField,
  GraphQLInputObjectType,
  GraphQLInterfaceType,
  GraphQLObjectType,
  GraphQLUnionType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isNonNullType,
  isObjectType,
  isSpecifiedScalarType,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { printApiSchema } from '../../scripts/print-schema.ts';
import { schema } from '../../src/api/schema/schema.ts';

test('schema.graphql is the schema that the program serves', async () => {
  const file = await readFile(new URL('../../schema.graphql', import.meta.url), 'utf8');
  expect(file, 'schema.graphql is out of date: run `npm run schema` and commit what it writes').toBe(
    printApiSchema(),
  );
});

test('every type, field, argument, enum value and input field has a description', () => {
  const undescribed = [...describedParts()].filter(([, description]) => !description?.trim());
  expect(undescribed.map(([name]) => name)).toEqual([]);
});

test('no description only repeats a name', () => {
  const parrots = [...describedParts()].filter(
    ([name, description]) => plain(description ?? '') === plain(name.split('.').at(-1) ?? ''),
  );
  expect(parrots.map(([name]) => name)).toEqual([]);
});

describe('every mutation returns a union of its success and its expected failures', () => {
  const mutations = Object.values(schema.getMutationType()?.getFields() ?? {});

  test.each(mutations)('$name', ({ name, type: union, args }) => {
    if (!(union instanceof GraphQLUnionType)) throw new Error(`${name} gives no union`);
    const resultName = `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
    expect(union.name).toBe(`${resultName}Result`);

    const [success, ...others] = union.getTypes().filter((member) => !member.name.endsWith('Error'));
    expect(success?.name).toBe(`${resultName}Success`);
    expect(others).toEqual([]);

    const errors = union.getTypes().filter((member) => member.name.endsWith('Error'));
    expect(errors.length).toBeGreaterThan(0);
    for (const error of errors) {
      expect(
        error.getInterfaces().map((implemented) => implemented.name),
        `${error.name} has to implement UserError`,
      ).toContain('UserError');
    }
    const names = errors.map((error) => error.name);
    if (args.length > 0) expect(names).toContain('InvalidInputError');
  });

  test('success types are never errors', () => {
    const errorTypes = schema.getPossibleTypes(schema.getType('UserError') as GraphQLInterfaceType);
    expect(errorTypes.map(({ name }) => name).filter((name) => !name.endsWith('Error'))).toEqual([]);
    expect(errorTypes.length).toBeGreaterThan(5);
    const codes = (schema.getType('ErrorCode') as GraphQLEnumType).getValues().map(({ name }) => name);
    const toName = (code: string) =>
      code.toLowerCase().replaceAll(/(?:^|_)(.)/g, (_, letter) => letter.toUpperCase());
    expect(codes.map((code) => `${toName(code)}Error`).sort()).toEqual(
      errorTypes.map(({ name }) => name).sort(),
    );
  });
});

test('an argument or input field with a default may be left out or null, also by generated clients', () => {
  const inputs = Object.values(schema.getTypeMap()).flatMap<GraphQLArgument | GraphQLInputField>((type) => {
    if (isIntrospectionType(type)) return [];
    if (isInputObjectType(type)) return Object.values(type.getFields());
    if (isObjectType(type) || isInterfaceType(type))
      return Object.values(type.getFields()).flatMap(({ args }) => args);
    return [];
  });
  const withDefault = inputs.filter(
    (input) => input.defaultValue !== undefined || input.default !== undefined,
  );
  expect(withDefault.length).toBeGreaterThan(4);
  expect(withDefault.filter(({ type }) => isNonNullType(type)).map(({ name }) => name)).toEqual([]);
});

test('the failure of a query or mutation does not take its neighbours with it: each can be null', () => {
  const roots = [schema.getQueryType(), schema.getMutationType()];
  const fields = roots.flatMap((type) => Object.values(type?.getFields() ?? {}));
  expect(fields.filter(({ type }) => isNonNullType(type)).map(({ name }) => name)).toEqual([]);
});

test('only what a client can keep by its id has a field id', () => {
  const objects = Object.values(schema.getTypeMap()).filter((type) => isObjectType(type));
  const withId = objects.filter((type) => type.getFields().id !== undefined).map(({ name }) => name);
  const nodes = schema.getPossibleTypes(schema.getType('Node') as GraphQLInterfaceType);
  const events = schema.getPossibleTypes(schema.getType('JobEvent') as GraphQLInterfaceType);
  // Events and parts of a job, and a principal, cannot be looked up, but caches tell them apart.
  const others = [
    ...events.map(({ name }) => name),
    'JobProgress',
    'TypeProgress',
    'FailedSource',
    'SyncStatus',
    'Principal',
  ];
  expect(withId.sort()).toEqual([...nodes.map(({ name }) => name), ...others].sort());
});

/** Everything of the schema that takes a description, by its path. */
function* describedParts(): Generator<[path: string, description: string | null | undefined]> {
  for (const type of Object.values(schema.getTypeMap())) {
    if (isIntrospectionType(type) || isSpecifiedScalarType(type)) continue;
    yield [type.name, type.description];
    if (type instanceof GraphQLEnumType) {
      for (const value of type.getValues()) yield [`${type.name}.${value.name}`, value.description];
    }
    if (type instanceof GraphQLInputObjectType) {
      for (const field of Object.values(type.getFields())) {
        yield [`${type.name}.${field.name}`, field.description];
      }
    }
    if (type instanceof GraphQLObjectType || type instanceof GraphQLInterfaceType) {
      for (const field of Object.values(type.getFields())) {
        yield [`${type.name}.${field.name}`, field.description];
        for (const arg of field.args) yield [`${type.name}.${field.name}.${arg.name}`, arg.description];
      }
    }
  }
}

function plain(text: string): string {
  return text.toLowerCase().replace(/[^a-z]/g, '');
}
