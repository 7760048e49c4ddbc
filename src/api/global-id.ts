import { InvalidInputError } from '../jobs/job-errors.ts';

/** The type and the key that a node's id stands for. */
export interface GlobalId {
  readonly typename: string;
  readonly id: string;
}

/** Ids of nodes as clients see them: `Job:0199…`, readable in logs and unique over all types. */
export function encodeGlobalId(typename: string, id: string | number | bigint): string {
  return `${typename}:${id}`;
}

/** @throws InvalidInputError where the text is no id of a node. */
export function decodeGlobalId(globalId: string): GlobalId {
  const match = /^([A-Za-z]+):(.+)$/s.exec(globalId);
  const [, typename, id] = match ?? [];
  if (typename === undefined || id === undefined)
    throw malformed('id', 'Job:01997f3e-8c1a-7000-8000-000000000000');
  return { typename, id };
}

/**
 * The UUID in the id of a node, or a UUID given as it is.
 * @param field the input field the id came in, for the error.
 * @throws InvalidInputError naming the field.
 */
export function uuidOf(typename: string, globalId: string, field: string): string {
  const id = globalId.startsWith(`${typename}:`) ? globalId.slice(typename.length + 1) : globalId;
  if (!UUID.test(id)) throw malformed(field, `${typename}:01997f3e-8c1a-7000-8000-000000000000`);
  return id.toLowerCase();
}

export const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function malformed(field: string, example: string): InvalidInputError {
  return new InvalidInputError([{ field, message: `is not an id: ids look like ${example}` }]);
}
