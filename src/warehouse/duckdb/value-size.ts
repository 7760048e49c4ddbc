/** What a value takes at most. */
export interface Value {
  /** So many times what one call that asked for room makes. */
  readonly made: number;
  /** So many times the largest cell of the tables. */
  readonly cells: number;
  readonly bytes: number;
  /** Whether it stands in more rows than it was counted for, as one of a join does: each copy of it is more. */
  readonly isMany: boolean;
  /** How many values without parts its type is made of. */
  readonly leaves: number;
  /** How deep its type is nested. */
  readonly depth: number;
  /** How many expressions it is, once each name of one is replaced by it. */
  readonly nodes: number;
}

/** A number, a time, a truth value or a short text. */
export const FIXED: Value = {
  ...{ made: 0, cells: 0, bytes: 24, isMany: false },
  ...{ leaves: 1, depth: 1, nodes: 1 },
};
export const CELL: Value = { ...FIXED, cells: 1, bytes: 0 };
export const MADE: Value = { ...FIXED, made: 1, bytes: 0 };

/** The larger of two in each way. */
export function larger(one: Value, other: Value): Value {
  return {
    made: Math.max(one.made, other.made),
    cells: Math.max(one.cells, other.cells),
    bytes: Math.max(one.bytes, other.bytes),
    isMany: one.isMany || other.isMany,
    leaves: Math.max(one.leaves, other.leaves),
    depth: Math.max(one.depth, other.depth),
    nodes: Math.max(one.nodes, other.nodes),
  };
}

export function largest(values: readonly Value[]): Value {
  return values.reduce(larger, { ...FIXED, bytes: 0 });
}

export function first(values: readonly Value[]): Value {
  return values[0] ?? FIXED;
}

/** All of them in one. */
export function total(values: readonly Value[]): Value {
  const sum = (pick: (value: Value) => number) => values.reduce((all, value) => all + pick(value), 0);
  return {
    made: sum(({ made }) => made),
    cells: sum(({ cells }) => cells),
    bytes: sum(({ bytes }) => bytes),
    isMany: values.some(({ isMany }) => isMany),
    leaves: Math.max(
      sum(({ leaves }) => leaves),
      1,
    ),
    depth: largest(values).depth,
    nodes: countNodes(values),
  };
}

export function multiplied(value: Value, factor: number): Value {
  return { ...value, made: value.made * factor, cells: value.cells * factor, bytes: value.bytes * factor };
}

export function countNodes(values: readonly Value[]): number {
  return values.reduce((sum, { nodes }) => sum + nodes, 1);
}

/** Whether it holds what the engine did not count, and stands in more rows than it was counted for. */
export function isGivenAgain({ isMany, made, cells }: Value): boolean {
  return isMany && made + cells > 0;
}

export function isAtMost(one: Value, other: Value): boolean {
  return one.made <= other.made && one.cells <= other.cells && one.bytes <= other.bytes;
}
