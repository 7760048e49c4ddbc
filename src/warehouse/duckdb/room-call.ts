import { isObject } from '../../shared/json.ts';
import { ROOM_FUNCTION } from './room.ts';
import type { TreeNode } from './tree.ts';

/** A call that may make large texts or lists. */
export interface LargeCall {
  /** What it is called in messages. */
  readonly name: string;
  readonly node: TreeNode;
  readonly children: readonly TreeNode[];
  /** The call of other arguments. */
  withChildren(children: readonly TreeNode[]): TreeNode;
  /** How many bytes the call of these arguments makes. */
  bytes(children: readonly TreeNode[]): TreeNode;
}

/**
 * The call as one that first asks for room. What its arguments take a while for is worked out once and given a name by a
 * lambda, which may stand wherever an expression can.
 */
export function askingCall(call: LargeCall, limit: unknown): TreeNode {
  const alias = String(call.node.alias ?? '');
  if (call.children.every(isCheap)) {
    const made = { ...call.withChildren(call.children), alias: '' };
    return { ...ask(call.name, limit, call.bytes(call.children), made), alias };
  }
  const named = call.children.map((child, index) =>
    child.class === 'CONSTANT' ? child : { ...partOf(`a${index}`), alias: child.alias },
  );
  const parts = call.children.flatMap((child, index) =>
    child.class === 'CONSTANT' ? [] : [{ ...child, alias: `a${index}` }],
  );
  const made = { ...call.withChildren(named), alias: '' };
  return {
    ...once(functionCall('struct_pack', parts), ask(call.name, limit, call.bytes(named), made)),
    alias,
  };
}

/** The value, where it is no larger than there is room for. */
export function askingResult(name: string, node: TreeNode, limit: unknown): TreeNode {
  const value = { ...node, alias: '' };
  return { ...once(value, ask(name, limit, bytesOf(ITEM), ITEM)), alias: String(node.alias ?? '') };
}

/** The value of an aggregate, where what it collects is no larger than there is room for. */
export function askingAggregate(name: string, node: TreeNode, bytes: TreeNode, limit: unknown): TreeNode {
  const sum = { ...node, function_name: 'sum', children: [bytes], alias: '', distinct: false };
  const unordered = 'arg_orders' in sum ? { ...sum, arg_orders: [] } : { ...sum, order_bys: NO_ORDER };
  const value = { ...node, alias: '' };
  return { ...ask(name, limit, orZero(unordered), value), alias: String(node.alias ?? '') };
}

function isCheap(node: TreeNode): boolean {
  if (node.class === 'CAST') return isObject(node.child) && isCheap(node.child);
  return node.class === 'CONSTANT' || node.class === 'COLUMN_REF' || node.class === 'PARAMETER';
}

const ITEM_NAME = 'blade_item';
const ITEM: TreeNode = {
  class: 'COLUMN_REF',
  type: 'COLUMN_REF',
  alias: '',
  query_location: 0,
  column_names: [ITEM_NAME],
};

function partOf(name: string): TreeNode {
  return functionCall('struct_extract', [ITEM, text(name)]);
}

/** `list_transform([value], lambda blade_item: body)[1]` */
function once(value: TreeNode, body: TreeNode): TreeNode {
  const lambda = { class: 'LAMBDA', type: 'LAMBDA', alias: '', query_location: 0, lhs: ITEM, expr: body };
  const list = { ...functionCall('list_value', [{ ...value, alias: '' }]), schema: 'main' };
  const transformed = functionCall('list_transform', [list, lambda]);
  return operator('ARRAY_EXTRACT', [transformed, whole(1)]);
}

/** `CASE WHEN blade_room(name, limit, bytes) THEN made END` */
function ask(name: string, limit: unknown, bytes: TreeNode, made: TreeNode): TreeNode {
  const question = functionCall(ROOM_FUNCTION, [text(name), constant(limit), bytes]);
  return {
    ...{ class: 'CASE', type: 'CASE_EXPR', alias: '', query_location: 0 },
    case_checks: [{ when_expr: question, then_expr: made }],
    else_expr: constant({ type: { id: 'NULL', type_info: null }, is_null: true }),
  };
}

const NO_ORDER: TreeNode = { type: 'ORDER_MODIFIER', orders: [] };

export function functionCall(name: string, children: readonly TreeNode[], isOperator = false): TreeNode {
  return {
    ...{ class: 'FUNCTION', type: 'FUNCTION', alias: '', query_location: 0, function_name: name, schema: '' },
    ...{ children, filter: null, order_bys: NO_ORDER, distinct: false, is_operator: isOperator },
    ...{ export_state: false, catalog: '' },
  };
}

function operator(type: string, children: readonly TreeNode[]): TreeNode {
  return { class: 'OPERATOR', type, alias: '', query_location: 0, children };
}

function constant(value: unknown): TreeNode {
  return { class: 'CONSTANT', type: 'VALUE_CONSTANT', alias: '', query_location: 0, value };
}

function text(value: string): TreeNode {
  return constant({ type: { id: 'VARCHAR', type_info: null }, is_null: false, value });
}

export function whole(value: number): TreeNode {
  return constant({ type: { id: 'INTEGER', type_info: null }, is_null: false, value });
}

export function castTo(type: string, child: TreeNode, isTry = false): TreeNode {
  return {
    ...{ class: 'CAST', type: 'OPERATOR_CAST', alias: '', query_location: 0 },
    ...{ child, cast_type: { id: type, type_info: null }, try_cast: isTry },
  };
}

function firstOf(...children: TreeNode[]): TreeNode {
  return operator('OPERATOR_COALESCE', children);
}

export function orZero(node: TreeNode): TreeNode {
  return firstOf(node, whole(0));
}

export function plus(left: TreeNode, right: TreeNode): TreeNode {
  return functionCall('+', [left, right], true);
}

export function minus(left: TreeNode, right: TreeNode): TreeNode {
  return functionCall('-', [left, right], true);
}

export function times(left: TreeNode, right: TreeNode): TreeNode {
  return functionCall('*', [left, right], true);
}

export function divided(left: TreeNode, right: TreeNode): TreeNode {
  return functionCall('/', [left, right], true);
}

export function atLeast(node: TreeNode, least: number): TreeNode {
  return functionCall('greatest', [node, whole(least)]);
}

/** How long the text of a value is, as a number that no product of several overflows. */
export function bytesOf(node: TreeNode): TreeNode {
  return castTo('DOUBLE', orZero(functionCall('strlen', [castTo('VARCHAR', { ...node, alias: '' })])));
}

export function allBytes(nodes: readonly TreeNode[]): TreeNode {
  return nodes.map(bytesOf).reduce(plus, whole(0));
}

/** A count that an argument gives. */
export function countOf(node: TreeNode): TreeNode {
  return atLeast(orZero(castTo('DOUBLE', { ...node, alias: '' }, true)), 0);
}

/** How many items a list from one value to another has, whether these are numbers or times. */
export function itemsBetween(from: TreeNode, to: TreeNode, step: TreeNode | undefined): TreeNode {
  const distance = functionCall('abs', [minus(position(to, 'TIMESTAMP'), position(from, 'TIMESTAMP'))]);
  if (step === undefined) return plus(orZero(distance), whole(1));
  // In millionths, as a step may be less than one.
  const width = atLeast(times(functionCall('abs', [position(step, 'INTERVAL')]), whole(1_000_000)), 1);
  return plus(orZero(divided(times(distance, whole(1_000_000)), width)), whole(1));
}

function position(node: TreeNode, type: 'TIMESTAMP' | 'INTERVAL'): TreeNode {
  const written = castTo('VARCHAR', { ...node, alias: '' });
  return firstOf(castTo('DOUBLE', written, true), functionCall('epoch', [castTo(type, written, true)]));
}

/** How often a text is found in another. */
export function occurrences(within: TreeNode, part: TreeNode): TreeNode {
  const without = functionCall('replace', [within, part, text('')]);
  return divided(minus(bytesOf(within), bytesOf(without)), atLeast(bytesOf(part), 1));
}

/** How often a pattern is found in a text. */
export function matches(within: TreeNode, pattern: TreeNode): TreeNode {
  return castTo(
    'DOUBLE',
    orZero(functionCall('len', [functionCall('regexp_extract_all', [within, pattern])])),
  );
}

export function backslashes(node: TreeNode): TreeNode {
  return occurrences(node, text('\\'));
}
