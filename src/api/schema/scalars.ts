import { GraphQLError, GraphQLScalarType, Kind } from 'graphql';
import { DateTimeResolver, JSONObjectResolver, JSONResolver, SafeIntResolver } from 'graphql-scalars';
import { isObject, type JsonObject } from '../../shared/json.ts';

// The errors do not print the refused value, because printing a deeply nested value could fail.

/**
 * A moment that the database can store and RFC 3339 can write: of the years 1 to 9999 in UTC. An offset can move a moment
 * out of them.
 */
export const DateTime = new GraphQLScalarType<Date, unknown>({
  name: 'DateTime',
  description: 'A moment in time, in UTC, as in RFC 3339: `2026-11-24T05:30:00.000Z`.',
  specifiedByURL: 'https://scalars.graphql.org/andimarek/date-time.html',
  serialize: DateTimeResolver.serialize,
  parseValue: parseMoment,
  parseLiteral: (node) => parseMoment(node.kind === Kind.STRING ? node.value : null),
});

function parseMoment(value: unknown): Date {
  if (typeof value !== 'string')
    throw new GraphQLError('DateTime must be a string as in RFC 3339, such as 2026-11-24T05:30:00Z.');
  const time = DateTimeResolver.parseValue(value);
  const year = time instanceof Date ? time.getUTCFullYear() : Number.NaN;
  if (!(time instanceof Date) || !(year >= 1 && year <= 9999))
    throw new GraphQLError('DateTime must be in the years 0001 to 9999 in UTC.');
  return time;
}

export const SafeInt = new GraphQLScalarType<number, number>({
  name: 'SafeInt',
  description: 'A whole number up to 2^53 - 1, which every client reads as a number.',
  specifiedByURL: SafeIntResolver.specifiedByURL,
  serialize: (value) => SafeIntResolver.serialize(typeof value === 'bigint' ? Number(value) : value),
  parseValue: (value) => Number(SafeIntResolver.parseValue(value)),
  parseLiteral: (node, variables) => Number(SafeIntResolver.parseLiteral(node, variables)),
});

export const Json = new GraphQLScalarType({
  ...JSONResolver.toConfig(),
  name: 'JSONValue',
  description: 'Any JSON value.',
});

export const JsonObjectScalar = new GraphQLScalarType<JsonObject, unknown>({
  name: 'JSONObject',
  description: 'A JSON object.',
  specifiedByURL: JSONObjectResolver.specifiedByURL,
  serialize: JSONObjectResolver.serialize,
  parseValue: parseObject,
  parseLiteral: (node, variables) => parseObject(JSONResolver.parseLiteral(node, variables)),
});

function parseObject(value: unknown): JsonObject {
  if (!isObject(value)) throw new GraphQLError('JSONObject must be an object.');
  return value as JsonObject;
}
