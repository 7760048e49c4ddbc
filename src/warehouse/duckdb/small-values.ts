import type { TreeNode } from './tree.ts';
import { choose, columnRef, functionCall, measureBytes, text, whole } from './tree-nodes.ts';

/** How large a list or an object may be that is given to more than one row: some 2,048 rows are worked on at once. */
const MAX_BYTES = 1 << 17;

const ERROR = functionCall('error', [
  text(
    `A list or an object is larger than ${MAX_BYTES >> 10} kB, and stands beside more than one row: take the parts that you need before you join.`,
  ),
]);

/** The list or object where it is small. */
function smallOrError(node: TreeNode): TreeNode {
  const value = { ...node, alias: '' };
  const isSmall = {
    ...{ class: 'COMPARISON', type: 'COMPARE_LESSTHANOREQUALTO', alias: '', query_location: 0 },
    ...{ left: measureBytes(value), right: whole(MAX_BYTES) },
  };
  return { ...choose(isSmall, value, ERROR), alias: String(node.alias ?? '') };
}

/** `(SELECT * REPLACE (… AS column) FROM source) AS name`, where the columns hold small lists and objects alone. */
export function withSmallColumns(source: TreeNode, name: string, columns: readonly string[]): TreeNode {
  const star = {
    ...{ class: 'STAR', type: 'STAR', alias: '', query_location: 0, relation_name: '', exclude_list: [] },
    replace_list: columns.map((column) => ({ key: column, value: smallOrError(columnRef(column)) })),
    ...{ columns: false, expr: null, qualified_exclude_list: [], rename_list: [] },
  };
  return subquerySource(selectFrom(star, source), name, []);
}

/** The query of one column, which gives a small list or object alone. */
export function smallResult(query: TreeNode): TreeNode {
  return selectFrom(smallOrError(columnRef(RESULT)), subquerySource(query, 'blade_query', [RESULT]));
}

const RESULT = 'blade_result';

function selectFrom(item: TreeNode, source: TreeNode): TreeNode {
  return {
    ...{ type: 'SELECT_NODE', modifiers: [], cte_map: { map: [] }, select_list: [item], from_table: source },
    ...{ where_clause: null, group_expressions: [], group_sets: [], aggregate_handling: 'STANDARD_HANDLING' },
    ...{ having: null, sample: null, qualify: null },
  };
}

function subquerySource(node: TreeNode, name: string, columns: readonly string[]): TreeNode {
  return {
    ...{ type: 'SUBQUERY', alias: name, sample: null, query_location: 0 },
    ...{ subquery: { node, named_param_map: [] }, column_name_alias: columns },
  };
}
