import type { TreeNode } from './tree.ts';

/** Parts of a statement as DuckDB reads them, to be put into one. */
export const NO_ORDER: TreeNode = { type: 'ORDER_MODIFIER', orders: [] };

export function functionCall(name: string, children: readonly TreeNode[], isOperator = false): TreeNode {
  return {
    ...{ class: 'FUNCTION', type: 'FUNCTION', alias: '', query_location: 0, function_name: name, schema: '' },
    ...{ children, filter: null, order_bys: NO_ORDER, distinct: false, is_operator: isOperator },
    ...{ export_state: false, catalog: '' },
  };
}

export function operator(type: string, children: readonly TreeNode[]): TreeNode {
  return { class: 'OPERATOR', type, alias: '', query_location: 0, children };
}

export function constant(value: unknown): TreeNode {
  return { class: 'CONSTANT', type: 'VALUE_CONSTANT', alias: '', query_location: 0, value };
}

export function text(value: string): TreeNode {
  return constant({ type: { id: 'VARCHAR', type_info: null }, is_null: false, value });
}

export function whole(value: number): TreeNode {
  return constant({ type: { id: 'INTEGER', type_info: null }, is_null: false, value });
}

export const NULL: TreeNode = constant({ type: { id: 'NULL', type_info: null }, is_null: true });

export const TRUE: TreeNode = castTo('BOOLEAN', text('t'));

export function columnRef(name: string): TreeNode {
  return { class: 'COLUMN_REF', type: 'COLUMN_REF', alias: '', query_location: 0, column_names: [name] };
}

export function castTo(type: string, child: TreeNode, isTry = false): TreeNode {
  return {
    ...{ class: 'CAST', type: 'OPERATOR_CAST', alias: '', query_location: 0 },
    ...{ child, cast_type: { id: type, type_info: null }, try_cast: isTry },
  };
}

function coalesce(...children: TreeNode[]): TreeNode {
  return operator('OPERATOR_COALESCE', children);
}

export function orZero(node: TreeNode): TreeNode {
  return coalesce(node, whole(0));
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

export function power(base: TreeNode, exponent: TreeNode): TreeNode {
  return functionCall('power', [base, exponent]);
}

/** `CASE WHEN condition THEN value ELSE otherwise END` */
export function choose(condition: TreeNode, value: TreeNode, otherwise: TreeNode): TreeNode {
  return {
    ...{ class: 'CASE', type: 'CASE_EXPR', alias: '', query_location: 0 },
    case_checks: [{ when_expr: condition, then_expr: value }],
    else_expr: otherwise,
  };
}

export function atLeast(node: TreeNode, least: number): TreeNode {
  return functionCall('greatest', [node, whole(least)]);
}

export function atMost(node: TreeNode, most: number): TreeNode {
  return functionCall('least', [node, whole(most)]);
}

/** How long the text of a value is, as a number that no product of several overflows. */
export function measureBytes(node: TreeNode): TreeNode {
  return castTo('DOUBLE', orZero(functionCall('strlen', [castTo('VARCHAR', { ...node, alias: '' })])));
}

export function allBytes(nodes: readonly TreeNode[]): TreeNode {
  return nodes.map(measureBytes).reduce(plus, whole(0));
}

/** A count that an argument gives. */
export function measureCount(node: TreeNode): TreeNode {
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
  return coalesce(castTo('DOUBLE', written, true), functionCall('epoch', [castTo(type, written, true)]));
}

/** How often a text is found in another. */
export function occurrences(within: TreeNode, part: TreeNode): TreeNode {
  const without = functionCall('replace', [within, part, text('')]);
  return divided(minus(measureBytes(within), measureBytes(without)), atLeast(measureBytes(part), 1));
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
