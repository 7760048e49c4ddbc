import { isObject } from '../../shared/json.ts';
import { textIn } from './argument-size.ts';
import { sizeRefusal } from './size-refusal.ts';
import type { TreeNode } from './tree.ts';

/** How deep a value may be nested: the engine goes down by calling itself. */
export const MAX_DEPTH = 100;

/** The parts and the depth of a type that a value is cast to. */
export function typeShape(type: unknown): { leaves: number; depth: number } {
  const inner = innerTypes(isObject(type) ? type.type_info : null).map(typeShape);
  const info = isObject(type) && isObject(type.type_info) ? type.type_info : {};
  const size = info.type === 'ARRAY_TYPE_INFO' && typeof info.size === 'number' ? info.size : 1;
  const leaves = inner.reduce((sum, shape) => sum + shape.leaves, 0);
  return {
    leaves: Math.max(leaves * size, 1),
    depth: inner.reduce((deepest, shape) => Math.max(deepest, shape.depth), 0) + 1,
  };
}

/** Whether a type has values that are looked up by keys. */
export function holdsKeys(type: unknown): boolean {
  const isMap = isObject(type) && String(type.id) === 'MAP';
  return isMap || innerTypes(isObject(type) ? type.type_info : null).some(holdsKeys);
}

function innerTypes(info: unknown): unknown[] {
  if (Array.isArray(info)) return info.flatMap(innerTypes);
  if (!isObject(info)) return [];
  if (typeof info.id === 'string') return [info];
  return Object.values(info).flatMap(innerTypes);
}

/** The parts and the depth of a structure, as from_json takes it: a constant text of JSON. */
export function structureShape(node: TreeNode | undefined): { leaves: number; depth: number } {
  const structure = textIn(node);
  if (structure === null) throw sizeRefusal('from_json with a structure that is no constant text');
  let depth = 0;
  let deepest = 0;
  for (const character of structure) {
    if (character === '[' || character === '{') depth += 1;
    if (character === ']' || character === '}') depth -= 1;
    deepest = Math.max(deepest, depth);
  }
  if (deepest >= MAX_DEPTH)
    throw sizeRefusal(`from_json with a structure that is nested ${MAX_DEPTH} deep or more`);
  return { leaves: structure.split(/[,:[{]/).length, depth: deepest + 1 };
}
