import { GraphQLError, GraphQLScalarType, Kind } from 'graphql';
import { DateTimeResolver, JSONObjectResolver, JSONResolver } from 'graphql-scalars';
import type { JsonObject } from '../../shared/json.ts';

// The errors do not show what they refuse: it may be nested without measure, and showing it would fail.

/**
 * A moment that the database can hold and that can be written again: of the years 1 to 9999 in UTC, which an offset can
 * lead out of.
 */
export const DateTime = new GraphQLScalarType<Date, unknown>({
  name: 'DateTime',
  description: 'A moment in time, in UTC, as in RFC 3339: `2026-11-24T05:30:00.000Z`.',
  serialize: DateTimeResolver.serialize,
  parseValue: momentOf,
  parseLiteral: (node) => momentOf(node.kind === Kind.STRING ? node.value : null),
});

function momentOf(value: unknown): Date {
  if (typeof value !== 'string') throw new GraphQLError('DateTime has to be a text as in RFC 3339.');
  const time = DateTimeResolver.parseValue(value);
  const year = time instanceof Date ? time.getUTCFullYear() : Number.NaN;
  if (!(time instanceof Date) || !(year >= 1 && year <= 9999))
    throw new GraphQLError('DateTime has to be of the years 0001 to 9999 in UTC.');
  return time;
}

export const Json = new GraphQLScalarType({ ...JSONResolver.toConfig(), description: 'Any JSON value.' });

export const JsonObjectScalar = new GraphQLScalarType<JsonObject, unknown>({
  name: 'JSONObject',
  description: 'A JSON object.',
  specifiedByURL: JSONObjectResolver.specifiedByURL,
  serialize: JSONObjectResolver.serialize,
  parseValue: objectOf,
  parseLiteral: (node, variables) => objectOf(JSONResolver.parseLiteral(node, variables)),
});

function objectOf(value: unknown): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new GraphQLError('JSONObject has to be an object.');
  return value as JsonObject;
}
