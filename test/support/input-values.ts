import fc from 'fast-check';
import {
  type GraphQLField,
  type GraphQLInputObjectType,
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
} from 'graphql';
import {
  asGraphql,
  asJson,
  leaf,
  poison,
  poisonedId,
  poisonedNumber,
  poisonedText,
  poisonedTime,
  poisonedTree,
  text,
  type Written,
} from './poison.ts';

/**
 * Good values by the name of an argument or input field, or by that and what it is of: `items.filter`, `ItemFilter.jobId`.
 * Where there is none, the type suggests one.
 */
export type GoodValues = Readonly<Record<string, Written>>;

/** An operation with its variables as JSON text. */
export interface WrittenOperation {
  readonly query: string;
  readonly variables: string;
}

/** A field that takes arguments. */
export interface InputField {
  /** How many values its arguments have room for. */
  readonly leaves: number;
  readonly name: string;
  readonly operation: Operation;
  /** The fields from the root to it, itself the last. */
  readonly path: readonly Field[];
}

type Operation = 'query' | 'mutation' | 'subscription';
type Field = GraphQLField<unknown, unknown>;

/**
 * Every field of the schema that takes arguments, by the shortest way to it: what is new in the schema is among them.
 * @param good with which the fields on the way give something.
 */
export function inputFields(schema: GraphQLSchema, good: GoodValues): InputField[] {
  return [
    ...fieldsBelow('query', schema.getQueryType(), good),
    // What these give, queries give too.
    ...listFields('mutation', schema.getMutationType()),
    ...listFields('subscription', schema.getSubscriptionType()),
  ];
}

function listFields(operation: Operation, root: GraphQLObjectType | null | undefined): InputField[] {
  return Object.values(root?.getFields() ?? {})
    .filter(({ args }) => args.length > 0)
    .map((field) => ({ name: field.name, operation, path: [field], leaves: countArgumentLeaves(field) }));
}

function fieldsBelow(
  operation: Operation,
  root: GraphQLObjectType | null | undefined,
  good: GoodValues,
): InputField[] {
  const found: InputField[] = [];
  const reached = new Set<string>();
  const ways: { type: GraphQLObjectType; path: readonly Field[] }[] = root ? [{ type: root, path: [] }] : [];
  for (const { type, path } of ways) {
    for (const field of Object.values(type.getFields())) {
      const way = [...path, field];
      if (field.args.length > 0) {
        const name = path.length === 0 ? field.name : `${type.name}.${field.name}`;
        found.push({ name, operation, path: way, leaves: countArgumentLeaves(field) });
      }
      const result = getNamedType(field.type);
      if (!isObjectType(result) || reached.has(result.name)) continue;
      if (
        field.args.some(
          (argument) =>
            isRequiredArgument(argument) && givenValue(good, field.name, argument.name) === undefined,
        )
      )
        continue;
      reached.add(result.name);
      ways.push({ type: result, path: way });
    }
  }
  return found;
}

/**
 * Operations that ask for the field with arguments that are good but for one or more values, which stand in the
 * operation itself or in its variables.
 */
export function poisonedOperations(
  schema: GraphQLSchema,
  field: InputField,
  good: GoodValues,
): fc.Arbitrary<WrittenOperation> {
  return fc.tuple(members(listArguments(field), good), fc.boolean()).map(([values, inText]) => {
    const types = new Map(field.path.at(-1)?.args.map(({ name, type }) => [name, type]));
    const call = inText
      ? values.map(([name, value]) => `${name}: ${asGraphql(value)}`)
      : values.map(([name]) => `${name}: $${name}`);
    const declared = inText ? [] : values.map(([name]) => `$${name}: ${types.get(name)}`);
    const head = declared.length === 0 ? '' : ` Poisoned(${declared.join(', ')})`;
    return {
      query: `${field.operation}${head} ${selectionTo(schema, field.path, good, call)}`,
      variables: inText ? '{}' : asJson(createObject(values)),
    };
  });
}

/** The operation that asks for the field with good values for all of its arguments. */
export function goodOperation(schema: GraphQLSchema, field: InputField, good: GoodValues): WrittenOperation {
  const call = listArguments(field).map(
    (member) => `${member.name}: ${asGraphql(goodValue(member.type, member, good))}`,
  );
  return { query: `${field.operation} ${selectionTo(schema, field.path, good, call)}`, variables: '{}' };
}

function listArguments({ path }: InputField): Member[] {
  const { name: of = '', args = [] } = path.at(-1) ?? {};
  return args.map(({ name, type }) => ({ of, name, type, isRequired: isNonNullType(type) }));
}

type Place = Pick<Member, 'of' | 'name'>;

function givenValue(good: GoodValues, of: string, name: string): Written | undefined {
  return good[`${of}.${name}`] ?? good[name];
}

function listMembers(type: GraphQLInputObjectType): Member[] {
  return Object.values(type.getFields()).map((field) => ({
    of: type.name,
    name: field.name,
    type: field.type,
    isRequired: isNonNullType(field.type),
  }));
}

interface Member {
  /** What it is a member of: a field or an input type. */
  readonly of: string;
  readonly name: string;
  readonly type: GraphQLInputType;
  readonly isRequired: boolean;
}

/** Values of members, at least one of them poisoned; the others are good or, where they can be, left out. */
function members(
  all: readonly Member[],
  good: GoodValues,
): fc.Arbitrary<readonly (readonly [string, Written])[]> {
  const chances = fc.tuple(
    fc.oneof(...all.map(({ type }, index) => ({ weight: countLeaves(type), arbitrary: fc.constant(index) }))),
    // Mostly one alone, so that it is not another that is found first.
    fc.array(fc.integer({ min: 0, max: 9 }), { minLength: all.length, maxLength: all.length }),
  );
  return chances.chain(([certain, chosen]) =>
    fc
      .tuple(
        ...all.map((member, index) => {
          const { name, type, isRequired } = member;
          if (index === certain || chosen[index] === 0) return poisoned(type, member, good).map(some(name));
          if (!isRequired && (chosen[index] ?? 0) < 7) return fc.constant([]);
          return fc.constant(goodValue(type, member, good)).map(some(name));
        }),
      )
      .map((values) => values.flat()),
  );
}

/** Counts the values in a type, so that each is poisoned equally often. */
function countLeaves(input: GraphQLInputType): number {
  const type = getNamedType(input);
  if (!isInputObjectType(type)) return 1;
  return listMembers(type).reduce((sum, member) => sum + countLeaves(member.type), 0);
}

function countArgumentLeaves({ args }: Field): number {
  return args.reduce((sum, { type }) => sum + countLeaves(type), 0);
}

const some = (name: string) => (value: Written) => [[name, value] as const];

/** What the type, or the name, suggests. */
function goodValue(type: GraphQLInputType, place: Place, good: GoodValues): Written {
  const given = givenValue(good, place.of, place.name);
  if (given !== undefined) return given;
  if (isNonNullType(type)) return goodValue(type.ofType, place, good);
  if (isListType(type)) return createList([goodValue(type.ofType, place, good)]);
  if (isInputObjectType(type)) {
    const required = listMembers(type).filter(({ isRequired }) => isRequired);
    return createObject(
      required.map((member) => [member.name, goodValue(member.type, member, good)] as const),
    );
  }
  if (isEnumType(type)) return enumValue(type.getValues()[0]?.name ?? '');
  return GOOD_BY_TYPE[type.name] ?? text('text');
}

const GOOD_BY_TYPE: GoodValues = {
  Int: leaf('1'),
  Float: leaf('1.5'),
  Boolean: leaf('true'),
  DateTime: text('2026-11-24T05:30:00Z'),
  JSON: leaf('{}'),
  JSONObject: leaf('{}'),
};

function enumValue(name: string): Written {
  return { kind: 'enum', name };
}

function poisoned(type: GraphQLInputType, place: Place, good: GoodValues): fc.Arbitrary<Written> {
  if (isNonNullType(type)) return poisoned(type.ofType, place, good);
  if (isListType(type)) {
    const item = poisoned(type.ofType, place, good);
    const one = goodValue(type.ofType, place, good);
    return fc.oneof(
      {
        weight: 16,
        arbitrary: fc.array(fc.oneof(item, fc.constant(one)), { minLength: 1, maxLength: 4 }).map(createList),
      },
      { weight: 1, arbitrary: fc.constant(createList(Array.from({ length: 2_000 }, () => one))) },
      { weight: 1, arbitrary: poison },
    );
  }
  if (isInputObjectType(type)) {
    const fields = listMembers(type);
    const inside = members(fields, good);
    return fc.oneof(
      { weight: 30, arbitrary: inside.map(createObject) },
      // A member that there is not, and one that there is twice.
      {
        weight: 1,
        arbitrary: fc
          .tuple(
            inside,
            fc.constantFrom('__proto__', 'constructor', 'nothing', fields[0]?.name ?? ''),
            poison,
          )
          .map(([some, extra, value]) => createObject([...some, [extra, value]])),
      },
      { weight: 1, arbitrary: poison },
    );
  }
  if (isEnumType(type)) {
    return fc.oneof(
      poison,
      fc
        .constantFrom('', 'NOTHING', '__proto__', 'constructor', 'toString', 'null')
        .map((word) => text(word)),
      fc.constantFrom(...type.getValues().map((value) => value.name.toLowerCase())).map(enumValue),
    );
  }
  const own = POISON_BY_TYPE[type.name];
  return own === undefined
    ? poison
    : fc.oneof({ weight: 15, arbitrary: own }, { weight: 1, arbitrary: poison });
}

const POISON_BY_TYPE: Readonly<Record<string, fc.Arbitrary<Written>>> = {
  Int: fc.oneof(
    poisonedNumber,
    fc.integer().map((value) => leaf(String(value))),
  ),
  Float: poisonedNumber,
  String: poisonedText,
  ID: fc.oneof(poisonedId, poisonedText),
  DateTime: poisonedTime,
  JSON: poisonedTree,
  JSONObject: poisonedTree,
};

const createList = (items: readonly Written[]): Written => ({ kind: 'list', items });
const createObject = (some: readonly (readonly [string, Written])[]): Written => ({
  kind: 'object',
  members: some,
});

/** The selection of the fields to the last of the path, which is called with these arguments, and of what it gives. */
function selectionTo(
  schema: GraphQLSchema,
  path: readonly Field[],
  good: GoodValues,
  call: string[],
): string {
  const [field, ...rest] = path;
  if (field === undefined) return '';
  const isLast = rest.length === 0;
  const args = isLast
    ? call
    : field.args
        .filter(isRequiredArgument)
        .map(({ name, type }) => `${name}: ${asGraphql(goodValue(type, { of: field.name, name }, good))}`);
  const below = isLast ? createSelection(schema, field.type, DEPTH) : selectionTo(schema, rest, good, call);
  return `{ ${field.name}${args.length === 0 ? '' : `(${args.join(', ')})`} ${below} }`;
}

/** So deep that it has the nodes of a list, and the issues of an error. */
const DEPTH = 3;

function createSelection(schema: GraphQLSchema, output: GraphQLOutputType, depth: number): string {
  const type = getNamedType(output);
  if (isLeafType(type)) return '';
  if (depth === 0) return '{ __typename }';
  if (isAbstractType(type)) {
    // All that everything has that can be a node would be more than one operation may ask for.
    const within = isInterfaceType(type) ? 1 : depth - 1;
    const parts = schema
      .getPossibleTypes(type)
      // Under names of their own, as types differ in what they call the same.
      .map((one) => `... on ${one.name} { ${fieldsIn(schema, one, within, `${one.name}_`)} }`);
    return `{ __typename ${parts.join(' ')} }`;
  }
  return isObjectType(type) ? `{ __typename ${fieldsIn(schema, type, depth, '')} }` : '';
}

function fieldsIn(schema: GraphQLSchema, type: GraphQLObjectType, depth: number, prefix: string): string {
  return Object.values(type.getFields())
    .filter((field) => depth > 1 || isLeafType(getNamedType(field.type)))
    .filter((field) => !field.args.some(isRequiredArgument) && !isNested(field))
    .map((field) => {
      const name = prefix === '' ? field.name : `${prefix}${field.name}: ${field.name}`;
      return `${name} ${createSelection(schema, field.type, depth - 1)}`;
    })
    .join(' ');
}

/** Lists within what is given, which have a case of their own. */
function isNested(field: Field): boolean {
  return field.args.length > 0;
}
