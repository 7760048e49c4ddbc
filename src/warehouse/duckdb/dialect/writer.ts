import type { SyntaxNode } from '../../../sql-check/syntax-tree.ts';
import type { ParameterValue } from '../../warehouse.ts';
import { writeExpression, writeOperand } from './expressions/expression.ts';
import { writeLambda } from './expressions/lambdas.ts';
import { writeWindow } from './expressions/windows.ts';
import { writeOrder } from './queries/order.ts';
import { writeQuery } from './queries/query.ts';
import { EMPTY_SCOPE, type Scope, type Source, type TableTypes } from './scope.ts';
import type { StatementWriter, WrittenQuery } from './statement-writer.ts';
import type { KnownType } from './types.ts';
import type { Written, WrittenLambda, WrittenWindow } from './written.ts';

/** Writes one statement: keeps what its parts share, and leaves each part to the file of its kind. */
export class Writer implements StatementWriter {
  readonly parameters: Readonly<Record<string, ParameterValue>>;
  readonly tables: TableTypes;
  scope: Scope = EMPTY_SCOPE;
  hasUnknownColumns = false;
  hasUnknownNames = false;
  outerColumns = 0;

  constructor(parameters: Readonly<Record<string, ParameterValue>>, tables: TableTypes) {
    this.parameters = parameters;
    this.tables = tables;
  }

  within<Result>(changes: Partial<Scope>, work: () => Result): Result {
    const before = this.scope;
    this.scope = { ...before, ...changes };
    try {
      return work();
    } finally {
      this.scope = before;
    }
  }

  inside<Result>(sources: readonly Source[], work: () => Result): Result {
    return this.within({ sources, outer: this.scope, isSelected: false }, work);
  }

  query(node: unknown): WrittenQuery {
    return writeQuery(this, node);
  }

  write(node: unknown): Written {
    return writeExpression(this, node);
  }

  operand(node: unknown): Written {
    return writeOperand(this, node);
  }

  lambda(node: unknown, types: readonly KnownType[]): WrittenLambda {
    return writeLambda(this, node, types);
  }

  order(items: unknown): string {
    return writeOrder(this, items);
  }

  over(spec: SyntaxNode): WrittenWindow {
    return writeWindow(this, spec);
  }
}
