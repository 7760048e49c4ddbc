import { isObject } from '../../shared/json.ts';
import type { TimeOfCall } from './call-time.ts';
import { PAUSE_NANOSECONDS, ROOM_FUNCTION, TIME_FUNCTION } from './room.ts';
import type { TreeNode } from './tree.ts';
import {
  choose,
  columnRef,
  constant,
  functionCall,
  measureBytes,
  NO_ORDER,
  NULL,
  operator,
  orZero,
  text,
  whole,
} from './tree-nodes.ts';

/** A call that may make large texts or lists, or take long. */
export interface LargeCall {
  /** What it is called in messages. */
  readonly name: string;
  readonly node: TreeNode;
  readonly children: readonly TreeNode[];
  /** The call of other arguments. */
  withChildren(children: readonly TreeNode[]): TreeNode;
  /** How many bytes the call of these arguments makes. */
  bytes(children: readonly TreeNode[]): TreeNode;
  /** How long it takes; null where it need not ask for that. */
  readonly time: TimeOfCall | null;
}

/** What a statement asks with. */
export interface Asker {
  /** The number of the statement. */
  readonly statement: number;
  /** For how many bytes there is room, as the engine writes a number; null for a call that need not ask for any. */
  readonly limit: unknown;
}

/**
 * The call as one that first asks for room, and for time before that. What its arguments take a while for is worked out once
 * and given a name by a lambda, which may stand wherever an expression can.
 */
export function askingCall(call: LargeCall, asker: Asker): TreeNode {
  const alias = String(call.node.alias ?? '');
  if (call.children.every(isCheap)) return { ...askingFor(call, call.children, asker), alias };
  const named = call.children.map((child, index) =>
    isKnown(child) ? child : { ...itemField(`a${index}`), alias: child.alias },
  );
  const parts = call.children.flatMap((child, index) =>
    isKnown(child) ? [] : [{ ...child, alias: `a${index}` }],
  );
  return { ...once(functionCall('struct_pack', parts), askingFor(call, named, asker)), alias };
}

function askingFor(call: LargeCall, children: readonly TreeNode[], asker: Asker): TreeNode {
  const made = { ...call.withChildren(children), alias: '' };
  const roomy = asker.limit === null ? made : askRoom(call.name, asker, call.bytes(children), made);
  return call.time === null ? roomy : askTime(call.name, asker.statement, call.time(children), roomy);
}

/** The value, where it is no larger than there is room for. */
export function askingResult(name: string, node: TreeNode, asker: Asker): TreeNode {
  const value = { ...node, alias: '' };
  return { ...once(value, askRoom(name, asker, measureBytes(ITEM), ITEM)), alias: String(node.alias ?? '') };
}

/** The value of an aggregate, where what it collects is no larger than there is room for. */
export function askingAggregate(name: string, node: TreeNode, bytes: TreeNode, asker: Asker): TreeNode {
  const sum = { ...node, function_name: 'sum', children: [bytes], alias: '', distinct: false };
  const unordered = 'arg_orders' in sum ? { ...sum, arg_orders: [] } : { ...sum, order_bys: NO_ORDER };
  const value = { ...node, alias: '' };
  return { ...askRoom(name, asker, orZero(unordered), value), alias: String(node.alias ?? '') };
}

/** `CASE WHEN blade_time(name, limit, nanoseconds, statement) THEN value END` */
function askTime(name: string, statement: number, nanoseconds: TreeNode, value: TreeNode): TreeNode {
  const limit = constant({
    type: { id: 'BIGINT', type_info: null },
    is_null: false,
    value: PAUSE_NANOSECONDS,
  });
  return choose(functionCall(TIME_FUNCTION, [text(name), limit, nanoseconds, whole(statement)]), value, NULL);
}

/** `CASE WHEN blade_room(name, limit, bytes, statement) THEN value END` */
function askRoom(name: string, asker: Asker, bytes: TreeNode, value: TreeNode): TreeNode {
  const limit = constant(asker.limit);
  return choose(functionCall(ROOM_FUNCTION, [text(name), limit, bytes, whole(asker.statement)]), value, NULL);
}

function isCheap(node: TreeNode): boolean {
  if (node.class === 'CAST') return isObject(node.child) && isCheap(node.child);
  return isKnown(node) || node.class === 'COLUMN_REF';
}

/** Whether it is the same at each row, which the engine prepares for once. */
function isKnown(node: TreeNode): boolean {
  return node.class === 'CONSTANT' || node.class === 'PARAMETER';
}

const ITEM = columnRef('blade_item');

function itemField(name: string): TreeNode {
  return functionCall('struct_extract', [ITEM, text(name)]);
}

/** `list_transform([value], lambda blade_item: body)[1]` */
function once(value: TreeNode, body: TreeNode): TreeNode {
  const lambda = { class: 'LAMBDA', type: 'LAMBDA', alias: '', query_location: 0, lhs: ITEM, expr: body };
  const list = { ...functionCall('list_value', [{ ...value, alias: '' }]), schema: 'main' };
  const transformed = functionCall('list_transform', [list, lambda]);
  return operator('ARRAY_EXTRACT', [transformed, whole(1)]);
}
