import type { ParameterValue } from '../../warehouse.ts';
import type { Relation, Scope, Source, TableTypes } from './scope.ts';
import type { ExpressionWriter } from './written.ts';

/** A query in the dialect of DuckDB. */
export interface WrittenQuery extends Relation {
  readonly sql: string;
}

/** What stands in a FROM, in the dialect of DuckDB. */
export interface WrittenSource {
  readonly sql: string;
  readonly sources: readonly Source[];
}

/** Writes the parts of a statement, each in its scope. */
export interface StatementWriter extends ExpressionWriter {
  readonly parameters: Readonly<Record<string, ParameterValue>>;
  readonly tables: TableTypes;
  readonly scope: Scope;
  /** Whether the statement uses a column whose type only its table knows. */
  hasUnknownColumns: boolean;
  /** Whether two columns of a sub-query can have one name, which only its tables know. */
  hasUnknownNames: boolean;
  /** How often the statement names a column of a query around a sub-query. */
  outerColumns: number;
  query(node: unknown): WrittenQuery;
  /** Writes a part whose scope differs. */
  within<Result>(changes: Partial<Scope>, work: () => Result): Result;
  /** Writes a part that reads sources, within the scope of what is around it. */
  inside<Result>(sources: readonly Source[], work: () => Result): Result;
}
