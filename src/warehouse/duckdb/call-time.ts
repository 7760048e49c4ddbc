import { WarehouseError } from '../warehouse.ts';
import { countSkips } from './like.ts';
import { readExpression } from './regular-expression.ts';
import type { TreeNode } from './tree.ts';
import {
  castTo,
  choose,
  divided,
  functionCall,
  measureBytes,
  NULL,
  occurrences,
  plus,
  power,
  text,
  times,
  whole,
} from './tree-nodes.ts';

/**
 * What the engine does for a call beside reading its arguments once. It can be interrupted between some 2,048 rows alone,
 * so that a call which takes too long for these never ends.
 */
type SlowCall =
  /** Looks for one text in another. */
  | 'SEARCH'
  | 'LIKE'
  /** Looks for one match of a regular expression. */
  | 'MATCH'
  /** Looks for all of them. */
  | 'MATCHES'
  /** Compares each character of one text with each of another. */
  | 'DISTANCE'
  /** Looks up each key or item among the others. */
  | 'KEYS'
  | 'INTERSECTION'
  /** Compares an unknown name with all that are known. */
  | 'ZONE';

const SLOW_CALLS: ReadonlyMap<string, SlowCall> = new Map([
  ...each('SEARCH', 'contains strpos replace str_split split_part'),
  ...each('LIKE', '~~ ~~* !~~ !~~* like_escape ilike_escape not_like_escape not_ilike_escape'),
  ...each('MATCH', 'regexp_matches regexp_extract'),
  ...each('MATCHES', 'regexp_extract_all regexp_replace str_split_regex'),
  ...each('DISTANCE', 'levenshtein'),
  ...each('KEYS', 'map map_from_entries map_concat'),
  ...each('INTERSECTION', 'array_intersect'),
  ...each('ZONE', 'timezone'),
]);

function each(call: SlowCall, names: string): (readonly [string, SlowCall])[] {
  return names.split(' ').map((name) => [name, call]);
}

/** An argument of a call. */
export interface TimedArgument {
  /** Whether it is a text of a few hundred characters at most. */
  readonly isShort: boolean;
  /** Whether it is no longer than the cells of a table, and given as often as they are. */
  readonly isCell: boolean;
  /** The text that it is, where that is known. */
  readonly text: string | null;
}

/** The nanoseconds that a call of these arguments takes. */
export type TimeOfCall = (args: readonly TreeNode[]) => TreeNode;

/**
 * What a call takes, or null where that is no more than reading its arguments does.
 * @throws WarehouseError STATEMENT_FAILED where it is a regular expression that would take too long to read.
 */
export function timeOfCall(
  name: string,
  nodes: readonly TreeNode[],
  args: readonly TimedArgument[],
): TimeOfCall | null {
  const [within = NOTHING, part = NOTHING] = args;
  switch (SLOW_CALLS.get(name)) {
    case 'SEARCH':
      return part.isShort ? null : searchTime;
    case 'LIKE':
      if (part.text !== null && /^!?~~$/.test(name) && !part.text.includes('_'))
        return part.isShort ? null : searchTime;
      return part.isShort && part.text !== null && within.isCell && countSkips(part.text) <= 1
        ? null
        : likeTime;
    case 'MATCH':
      return expressionTime(within, part, false);
    case 'MATCHES':
      return expressionTime(within, part, true);
    case 'DISTANCE':
      return ([one = NULL, other = NULL]) => times(whole(3), product(one, other));
    case 'KEYS':
      return nodes.every(isWrittenOut) ? null : (keys) => times(whole(5_000), entries(keys));
    case 'INTERSECTION':
      return nodes.every(isWrittenOut) ? null : (lists) => times(whole(5_000), entries(lists));
    case 'ZONE':
      return within.isShort ? null : ([zone = NULL]) => times(whole(5_000), measureBytes(zone));
    default:
      return null;
  }
}

/** What a cast to a type with keys takes: it looks up each. */
export const timeOfKeys: TimeOfCall = (args) => times(whole(5_000), entries(args));

const NOTHING: TimedArgument = { isShort: true, isCell: true, text: '' };

function product(one: TreeNode, other: TreeNode): TreeNode {
  return times(measureBytes(one), measureBytes(other));
}

function isWrittenOut(node: TreeNode): boolean {
  return node.function_name === 'list_value';
}

/** No more than the items of lists and maps are. */
function entries(nodes: readonly TreeNode[]): TreeNode {
  return nodes
    .map((node) => plus(occurrences(castTo('VARCHAR', { ...node, alias: '' }), text(',')), whole(1)))
    .reduce(plus, whole(0));
}

const searchTime: TimeOfCall = ([within = NULL, part = NULL]) => divided(product(within, part), whole(16));

/** The engine tries each place for each `%`. */
const likeTime: TimeOfCall = ([within = NULL, pattern = NULL]) => {
  const places = occurrences(functionCall('rtrim', [pattern, text('%')]), text('%'));
  const tries = power(plus(measureBytes(within), whole(1)), places);
  return times(times(tries, whole(3)), plus(measureBytes(pattern), whole(1)));
};

const MAX = { expressionBytes: 20_000, expressionSets: 500, nanosecondsOfByte: 1_000 };

function expressionTime(
  within: TimedArgument,
  { text: expression }: TimedArgument,
  isForAll: boolean,
): TimeOfCall | null {
  if (expression === null) return unknownExpressionTime(isForAll);
  const shape = readExpression(expression);
  const sets = expression.match(/\\[pP]/g) ?? [];
  if (shape === null || expression.length > MAX.expressionBytes || sets.length > MAX.expressionSets)
    throw new WarehouseError(
      'STATEMENT_FAILED',
      `A regular expression that long or that deep cannot be used here: ${MAX.expressionBytes.toLocaleString('en')} characters fit.`,
    );
  const nanoseconds = Math.max(shape.places, 1) * (shape.countsCounts ? 25 : 1);
  const overshoots = isForAll && shape.overshoots;
  if (within.isCell && nanoseconds <= MAX.nanosecondsOfByte && !overshoots) return null;
  return ([one = NULL]) => {
    const once = times(whole(nanoseconds), measureBytes(one));
    return overshoots ? plus(once, times(whole(4), product(one, one))) : once;
  };
}

/** Of an expression that is known at each row alone, which is also read anew for it. */
function unknownExpressionTime(isForAll: boolean): TimeOfCall {
  return ([within = NULL, expression = NULL]) => {
    const has = (mark: string) => functionCall('contains', [castTo('VARCHAR', expression), text(mark)]);
    const reading = choose(has('\\p'), whole(100_000), choose(has('\\P'), whole(100_000), whole(2_000)));
    const places = times(measureBytes(expression), choose(has('){'), whole(25_000), whole(10)));
    const once = plus(times(measureBytes(expression), reading), times(places, measureBytes(within)));
    const again = choose(has('|'), whole(4), choose(has('('), whole(4), whole(0)));
    return isForAll ? plus(once, times(again, product(within, within))) : once;
  };
}
