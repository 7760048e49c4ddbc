import { InvalidInputError } from '../../shared/invalid-input.ts';
import { isItemKey, isUuid } from './input-checks.ts';

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
  const separator = globalId.indexOf(':');
  const typename = globalId.slice(0, Math.max(0, separator));
  const id = globalId.slice(separator + 1);
  const node = NODES.get(typename);
  if (node === undefined) throw malformed('id', `Job:${EXAMPLE}`);
  if (!node.isKey(id)) throw malformed('id', `${typename}:${node.example}`);
  return { typename, id };
}

/**
 * The UUID in the id of a node, or a UUID given as it is.
 * @param field the input field the id came in, for the error.
 * @throws InvalidInputError naming the field.
 */
export function uuidOf(typename: string, globalId: string, field: string): string {
  const id = globalId.startsWith(`${typename}:`) ? globalId.slice(typename.length + 1) : globalId;
  if (!isUuid(id)) throw malformed(field, `${typename}:${EXAMPLE}`);
  return id.toLowerCase();
}

interface NodeKeys {
  isKey(text: string): boolean;
  readonly example: string;
}

const EXAMPLE = '01997f3e-8c1a-7000-8000-000000000000';
const UUIDS: NodeKeys = { isKey: isUuid, example: EXAMPLE };

/** The keys of each type of node. */
const NODES: ReadonlyMap<string, NodeKeys> = new Map([
  ['Job', UUIDS],
  ['JobPartition', UUIDS],
  ['DataSource', UUIDS],
  ['ScheduledRun', UUIDS],
  ['JobError', UUIDS],
  ['BladeItem', { isKey: (text) => isItemKey(parsedJson(text)), example: '["sortie","SRT-0000001"]' }],
]);

/** Undefined where the text is no JSON. */
function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function malformed(field: string, example: string): InvalidInputError {
  return new InvalidInputError([{ field, message: `is not an id: ids look like ${example}` }]);
}
