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
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from '../page-size.ts';

/** What a field costs, and how often its selection is counted. */
export interface FieldCost {
  readonly field: number;
  readonly multiplier: number;
}

/**
 * Copies a schema and adds the cost of each field where the complexity plugin of Pothos reads it. The copy leaves out the
 * validation of arguments, which belongs to the execution.
 */
export function withFieldCosts(original: GraphQLSchema): GraphQLSchema {
  const schema = buildSchema(printSchema(original), { assumeValid: true });
  for (const type of Object.values(schema.getTypeMap())) {
    if (isIntrospectionType(type) || !(isObjectType(type) || isInterfaceType(type))) continue;
    for (const field of Object.values(type.getFields())) {
      // Arguments matter only where they change the cost.
      const isVariable = field.args.some(({ name }) => ['first', 'exact', 'ids', 'count'].includes(name));
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
 * Returns what a field costs, in multiples of a plain field. A connection costs a database statement and counts its
 * selection once per possible edge; any other list counts as a short one.
 */
export function fieldCost(
  { name, type }: Pick<GraphQLField<unknown, unknown>, 'name' | 'type'>,
  args: Arguments,
): FieldCost {
  const named = getNamedType(type);
  if (args.exact === true) return { field: EXACT_COUNT_COST, multiplier: 1 };
  if (typeof args.count === 'number')
    return { field: 1 + ((findLargest(args.count) ?? 1) - 1) * DUE_TIME_COST, multiplier: 1 };
  if (isLeafType(named)) return { field: 1, multiplier: 1 };
  if (named.name.endsWith('Connection'))
    return { field: STATEMENT_COST, multiplier: findLargest(args.first, args.last) ?? DEFAULT_PAGE_SIZE };
  // Each may be of another type, so it is read alone.
  if (Array.isArray(args.ids))
    return { field: STATEMENT_COST * args.ids.length, multiplier: args.ids.length };
  const isList = isListType(isNonNullType(type) ? type.ofType : type);
  // The connection already counts its entries.
  if (!isList || name === 'edges' || name === 'nodes') return { field: 2, multiplier: 1 };
  return { field: LIST_COST, multiplier: findLargest(args.first) ?? LIST_LENGTH };
}

/** The cost of a database statement, in fields; bench/limits.ts measures it. */
const STATEMENT_COST = 250;

/** Counting millions of entries takes seconds. */
const EXACT_COUNT_COST = 200;

/** A due time of a schedule takes up to a tenth of a millisecond to find, except the next, which is stored. */
const DUE_TIME_COST = 25;

/** A list is read together with its parent. */
const LIST_COST = 20;

/** The usual length of a list without pages: a job's partitions and sources, the issues of an error. */
const LIST_LENGTH = 10;

function findLargest(...sizes: readonly unknown[]): number | null {
  const given = sizes.filter((size) => typeof size === 'number');
  return given.length === 0 ? null : Math.min(Math.max(...given, 1), MAX_PAGE_SIZE);
}
