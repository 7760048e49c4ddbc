import {
  buildSchema,
  type GraphQLField,
  type GraphQLSchema,
  getNamedType,
  isInterfaceType,
  isIntrospectionType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  printSchema,
} from 'graphql';
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from '../schema/page-size.ts';

/** What one field costs, and how often what is selected within it does. */
export interface FieldCost {
  readonly field: number;
  readonly multiplier: number;
}

/**
 * A schema of the same types whose fields tell what they cost, where the plugin of Pothos looks for it. A copy, as arguments
 * of the schema itself are checked by whoever looks at them, which is for the execution to do.
 */
export function withFieldCosts(original: GraphQLSchema): GraphQLSchema {
  const schema = buildSchema(printSchema(original), { assumeValid: true });
  for (const type of Object.values(schema.getTypeMap())) {
    if (isIntrospectionType(type) || !(isObjectType(type) || isInterfaceType(type))) continue;
    for (const field of Object.values(type.getFields())) {
      // Only where they decide what the field costs are the arguments looked at.
      const isVariable = field.args.some(({ name }) => name === 'first' || name === 'exact');
      field.extensions = {
        ...field.extensions,
        complexity: isVariable ? (args: Arguments) => fieldCost(field, args) : fieldCost(field, {}),
      };
    }
  }
  return schema;
}

type Arguments = Readonly<Record<string, unknown>>;

/**
 * What a field costs, in the time that a plain field of one object takes. A page of a connection is a statement of the
 * database, and costs its fields as often as it may have edges; any other list counts as a short one.
 */
export function fieldCost(
  { name, type }: Pick<GraphQLField<unknown, unknown>, 'name' | 'type'>,
  args: Arguments,
): FieldCost {
  const named = getNamedType(type);
  if (args.exact === true) return { field: EXACT_COUNT_COST, multiplier: 1 };
  if (isLeafType(named)) return { field: 1, multiplier: 1 };
  if (named.name.endsWith('Connection'))
    return { field: STATEMENT_COST, multiplier: largestOf(args.first, args.last) ?? DEFAULT_PAGE_SIZE };
  const isList = isListType(isNonNullType(type) ? type.ofType : type);
  // Its edges are counted with the connection.
  if (!isList || name === 'edges') return { field: 2, multiplier: 1 };
  return { field: LIST_COST, multiplier: largestOf(args.first) ?? LIST_LENGTH };
}

/** A statement of the database of its own takes about as long as this many fields: bench/limits.ts measures it. */
const STATEMENT_COST = 250;

/** Counting every entry of a list takes seconds where there are millions. It counts as often as the page has entries. */
const EXACT_COUNT_COST = 200;

/** A list is read together with what it belongs to. */
const LIST_COST = 20;

/** About how many a list has that cannot be paged through: the partitions and sources of a job, the issues of an error. */
const LIST_LENGTH = 10;

function largestOf(...sizes: readonly unknown[]): number | null {
  const given = sizes.filter((size) => typeof size === 'number');
  return given.length === 0 ? null : Math.min(Math.max(...given, 1), MAX_PAGE_SIZE);
}
