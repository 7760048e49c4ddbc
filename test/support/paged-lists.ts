import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isObjectType,
} from 'graphql';

/** A field of the API that is read a page at a time. */
export interface PagedField {
  /** As in `jobs` or `Job.errors`. */
  readonly name: string;
  readonly fieldName: string;
  /** The type that it is a field of. */
  readonly parent: string;
  /** Every value of its argument `orderBy`. */
  readonly orders: readonly ListOrder[];
  readonly filters: readonly ListFilter[];
}

export interface ListOrder {
  readonly field: string;
  readonly direction: string;
}

/** One way to ask for a part of a list. */
export interface ListFilter {
  /** As in `ItemFilter.jobId` or `Job.errors.stages`. */
  readonly name: string;
  /** The arguments that ask for this value. */
  argumentsFor(value: unknown): Readonly<Record<string, unknown>>;
  /** How the argument is declared as a variable, as in `$filter: ItemFilter`. */
  readonly variable: { readonly name: string; readonly type: string };
  /** Every value that its type has; null where that is not known. */
  readonly values: readonly unknown[] | null;
}

/** The arguments that say which page is meant, and not which list. */
const PAGE_ARGUMENTS = ['first', 'last', 'after', 'before', 'orderBy'];

/** Every paged field of the schema with its filters and orders: what is new in the schema is among them. */
export function pagedFields(schema: GraphQLSchema): PagedField[] {
  return Object.values(schema.getTypeMap()).flatMap((type) =>
    isObjectType(type)
      ? Object.values(type.getFields()).flatMap((field) =>
          getNamedType(field.type).name.endsWith('Connection') ? [describeField(schema, type, field)] : [],
        )
      : [],
  );
}

function describeField(
  schema: GraphQLSchema,
  type: GraphQLObjectType,
  { name: fieldName, args }: GraphQLField<unknown, unknown>,
): PagedField {
  const isRoot = type === schema.getQueryType();
  const orderBy = args.find(({ name }) => name === 'orderBy');
  if (orderBy === undefined) throw new Error(`${type.name}.${fieldName} has no argument orderBy`);
  return {
    name: isRoot ? fieldName : `${type.name}.${fieldName}`,
    fieldName,
    parent: type.name,
    orders: listOrders(orderBy),
    filters: args
      .filter(({ name }) => !PAGE_ARGUMENTS.includes(name))
      .flatMap((argument) => filtersOf(`${type.name}.${fieldName}`, argument)),
  };
}

function listOrders({ name, type }: GraphQLArgument): ListOrder[] {
  const order = getNamedType(type);
  if (!isInputObjectType(order)) throw new Error(`${name} is no input object`);
  const [fields, directions] = ['field', 'direction'].map((part) => {
    const values = getNamedType(order.getFields()[part]?.type);
    return isEnumType(values) ? values.getValues().map((value) => value.name) : [];
  });
  return (fields ?? []).flatMap((field) => (directions ?? []).map((direction) => ({ field, direction })));
}

/** Writes an order as the value of the argument `orderBy`. */
export function formatOrder({ field, direction }: ListOrder): string {
  return `{ field: ${field}, direction: ${direction} }`;
}

function filtersOf(owner: string, argument: GraphQLArgument): ListFilter[] {
  const variable = { name: argument.name, type: String(argument.type) };
  const named = getNamedType(argument.type);
  if (!isInputObjectType(named)) {
    return [
      {
        name: `${owner}.${argument.name}`,
        argumentsFor: (value) => ({ [argument.name]: value }),
        variable,
        values: valuesOf(argument),
      },
    ];
  }
  return Object.values(named.getFields()).map((field) => ({
    name: `${named.name}.${field.name}`,
    argumentsFor: (value) => ({ [argument.name]: { [field.name]: value } }),
    variable,
    values: valuesOf(field),
  }));
}

function valuesOf({ type }: Pick<GraphQLInputField | GraphQLArgument, 'type'>): readonly unknown[] | null {
  const named = getNamedType(type);
  if (isEnumType(named)) return named.getValues().map(({ name }) => [name]);
  return named.name === 'Boolean' ? [true, false] : null;
}

/** The arguments of several filters at once: those that are fields of one input object go into one. */
export function joinArguments(all: readonly Readonly<Record<string, unknown>>[]): Record<string, unknown> {
  const joined: Record<string, unknown> = {};
  for (const [name, value] of all.flatMap((given) => Object.entries(given))) {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    joined[name] = isObject ? { ...(joined[name] as object), ...value } : value;
  }
  return joined;
}
