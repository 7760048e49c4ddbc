import { asciiLowerCase } from '../../../shared/ascii-case.ts';
import type { KnownType } from './types.ts';

/** Columns with their types, by their names in lower case; null where they are not known, as for a table. */
export type Columns = ReadonlyMap<string, KnownType> | null;

/** What a query returns, as far as it is known. */
export interface Relation {
  readonly columns: Columns;
  /** Whether two of its columns have one name, which DuckDB would change; null where that is not known. */
  readonly hasRepeatedNames: boolean | null;
}

/** What a FROM reads, with the columns that names may stand for. */
export interface Source {
  readonly alias: string | null;
  readonly columns: Columns;
  /** See `Relation`. Default: false. */
  readonly hasRepeatedNames?: boolean | null;
  /** Whether these are columns that the same SELECT has named before. */
  readonly isLateral?: boolean;
  /** The columns that a join has merged with those of the sources before, in lower case; null where they are not known. */
  readonly merged?: ReadonlySet<string> | null;
}

/** What the names in a part of a statement may stand for. */
export interface Scope {
  readonly sources: readonly Source[];
  readonly lambdas: ReadonlyMap<string, KnownType>;
  readonly ctes: ReadonlyMap<string, Relation>;
  readonly outer: Scope | null;
  /** Whether this is a part of what a SELECT returns. */
  readonly isSelected?: boolean;
}

export const EMPTY_SCOPE: Scope = { sources: [], lambdas: new Map(), ctes: new Map(), outer: null };

/** The columns of tables with their types in Databricks, by the names of the tables in lower case: `catalog.schema.table`. */
export type TableTypes = ReadonlyMap<string, ReadonlyMap<string, KnownType>>;

/** The type of a column, of one table or of any; undefined where no table is known to have it. */
export function findColumn(scope: Scope | null, table: string | null, name: string): KnownType | undefined {
  for (let current = scope; current !== null; current = current.outer) {
    for (const { alias, columns } of current.sources) {
      if (table !== null && asciiLowerCase(alias ?? '') !== table) continue;
      const type = columns?.get(name);
      if (type !== undefined) return type;
    }
    // It may be a column of a table that is not known.
    if (
      current.sources.some(
        ({ alias, columns }) => columns === null && (table === null || asciiLowerCase(alias ?? '') === table),
      )
    )
      return undefined;
  }
  return undefined;
}

/** Whether a name is only that of a column which the same SELECT has named before. */
export function isLateralAlias(scope: Scope, name: string): boolean {
  const [own, others] = [
    scope.sources.filter(({ isLateral }) => isLateral),
    scope.sources.filter(({ isLateral }) => !isLateral),
  ];
  return (
    own.some(({ columns }) => columns?.has(name)) &&
    others.every(({ columns }) => columns !== null && !columns.has(name))
  );
}

/** Whether a column is one of the query around a sub-query, as far as that is known. */
export function isOuterColumn(scope: Scope, table: string | null, name: string): boolean {
  const { sources, outer } = scope;
  if (outer === null) return false;
  if (table !== null)
    return !sources.some(({ alias }) => asciiLowerCase(alias ?? '') === table) && hasSource(outer, table);
  return (
    sources.every(({ columns }) => columns !== null && !columns.has(name)) &&
    findColumn(outer, null, name) !== undefined
  );
}

function hasSource(scope: Scope | null, table: string): boolean {
  return (
    scope !== null &&
    (scope.sources.some(({ alias }) => asciiLowerCase(alias ?? '') === table) ||
      hasSource(scope.outer, table))
  );
}

/** Whether a name is there twice, in any case. */
export function repeats(names: readonly string[]): boolean {
  return new Set(names.map(asciiLowerCase)).size < names.length;
}

/** Gives columns other names, in their order. */
export function renameColumns(columns: Columns, names: readonly string[]): Columns {
  if (columns === null || names.length === 0) return columns;
  const types = [...columns.values()];
  return new Map(names.map((name, index) => [asciiLowerCase(name), types[index] ?? null]));
}
