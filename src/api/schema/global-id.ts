import { createIssue, InvalidInputError } from '../../shared/invalid-input.ts';
import { checkText, isItemKey, isUuid } from './input-checks.ts';

/** The type and key of a node. */
export interface GlobalId {
  readonly typename: string;
  readonly id: string;
}

/** Encodes the id of a node as clients see it: `Job:0199…`, readable in logs and unique across types. */
export function encodeGlobalId(typename: string, id: string | number | bigint): string {
  return `${typename}:${id}`;
}

/** @throws InvalidInputError if the text is not the id of a node. */
export function decodeGlobalId(globalId: string): GlobalId {
  const separator = globalId.indexOf(':');
  const typename = globalId.slice(0, Math.max(0, separator));
  const id = globalId.slice(separator + 1);
  const node = NODES.get(typename);
  if (node === undefined) throw createIdError('id', `Job:${EXAMPLE}`);
  if (!node.isKey(id)) throw createIdError('id', `${typename}:${node.example}`);
  return { typename, id };
}

/**
 * Parses the UUID in the id of a node, or a bare UUID.
 * @param field the input field that holds the id, for the error.
 * @throws InvalidInputError naming the field.
 */
export function parseUuid(typename: string, globalId: string, field: string): string {
  const id = globalId.startsWith(`${typename}:`) ? globalId.slice(typename.length + 1) : globalId;
  if (!isUuid(id)) throw createIdError(field, `${typename}:${EXAMPLE}`);
  return id.toLowerCase();
}

/**
 * Parses the id of a principal, with or without the name of the type before it.
 * @param field the input field that holds the id, for the error.
 * @throws InvalidInputError naming the field.
 */
export function parsePrincipalId(globalId: string, field: string): string {
  const id = globalId.startsWith('Principal:') ? globalId.slice('Principal:'.length) : globalId;
  checkText(id, field);
  return id;
}

interface NodeKeys {
  isKey(text: string): boolean;
  readonly example: string;
}

const EXAMPLE = '01997f3e-8c1a-7000-8000-000000000000';
const UUIDS: NodeKeys = { isKey: isUuid, example: EXAMPLE };

/** The form of the keys of each type of node. */
const NODES: ReadonlyMap<string, NodeKeys> = new Map([
  ['Job', UUIDS],
  ['JobPartition', UUIDS],
  ['DataSource', UUIDS],
  ['ScheduledRun', UUIDS],
  ['JobError', UUIDS],
  ['ApiKey', UUIDS],
  ['AuditEntry', UUIDS],
  ['BladeItem', { isKey: (text) => isItemKey(readJson(text)), example: '["sortie","SRT-0000001"]' }],
]);

/** Returns undefined if the text is not JSON. */
function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function createIdError(field: string, example: string): InvalidInputError {
  return new InvalidInputError([createIssue(field, 'INVALID', `is not an id; ids look like ${example}`)]);
}
