import {
  type GraphQLField,
  type GraphQLSchema,
  getNamedType,
  isInterfaceType,
  isIntrospectionType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';

/** What one field costs, and how often what is selected within it does. */
export interface FieldCost {
  readonly field: number;
  readonly multiplier: number;
}

/** Tells in the schema what each of its fields costs, where `costOf` finds it. */
export function setFieldCosts(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (isIntrospectionType(type) || !(isObjectType(type) || isInterfaceType(type))) continue;
    for (const field of Object.values(type.getFields())) {
      // Only where the size of a page is an argument are the arguments looked at.
      const isPaged = field.args.some(({ name }) => name === 'first');
      field.extensions = {
        ...field.extensions,
        complexity: isPaged ? (args: Arguments) => fieldCost(field, args) : fieldCost(field, {}),
      };
    }
  }
}

type Arguments = Readonly<Record<string, unknown>>;

/**
 * What a field costs, in the time that a plain field of one object takes. A page of a connection is a statement of the
 * database and costs its fields as often as it may have edges; any other list counts as a short one.
 */
export function fieldCost(
  { name, type }: Pick<GraphQLField<unknown, unknown>, 'name' | 'type'>,
  args: Arguments,
): FieldCost {
  const named = getNamedType(type);
  if (isLeafType(named)) return { field: 1, multiplier: 1 };
  if (named.name.endsWith('Connection'))
    return { field: STATEMENT_COST, multiplier: pageSize(args.first) ?? pageSize(args.last) ?? DEFAULT_PAGE };
  const isList = isListType(isNonNullType(type) ? type.ofType : type);
  // Its edges are counted with the connection.
  if (!isList || name === 'edges') return { field: 2, multiplier: 1 };
  return { field: STATEMENT_COST, multiplier: pageSize(args.first) ?? LIST_LENGTH };
}

/** A statement of the database takes about as long as this many fields. */
const STATEMENT_COST = 20;

const DEFAULT_PAGE = 20;
const LARGEST_PAGE = 200;

/** About how many a list has that cannot be paged through: the partitions and sources of a job, the issues of an error. */
const LIST_LENGTH = 10;

function pageSize(value: unknown): number | null {
  return typeof value === 'number' ? Math.min(Math.max(value, 0), LARGEST_PAGE) : null;
}
