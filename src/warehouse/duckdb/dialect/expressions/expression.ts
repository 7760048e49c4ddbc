import { getContent, getKind, type SyntaxNode } from '../../../../sql-check/syntax-tree.ts';
import { writeCall } from '../calls.ts';
import { writeCast } from '../casts.ts';
import { describeKind, isPresent } from '../nodes.ts';
import { writeArithmetic, writeBinary, writeComparison } from '../operators.ts';
import { checkPattern } from '../patterns.ts';
import { refuseOnFolder } from '../refused.ts';
import type { StatementWriter } from '../statement-writer.ts';
import { readType } from '../types.ts';
import { named, type Written } from '../written.ts';
import { writeCase } from './case.ts';
import { writeColumn } from './columns.ts';
import { writeInterval } from './intervals.ts';
import { writeLike } from './like.ts';
import { writeLiteral, writeNegative, writeParameter } from './literals.ts';
import { writeField, writeJsonPath, writeSubscript } from './parts.ts';
import { writeBetween, writeCompared, writeIn } from './ranges.ts';

/** Writes an expression of any kind. */
export function writeExpression(writer: StatementWriter, node: unknown): Written {
  const kind = getKind(node);
  const content = kind === null ? {} : getContent(node, kind);
  switch (kind) {
    case 'literal':
      return writeLiteral(content);
    case 'boolean':
      return {
        sql: content.value === true ? 'true' : 'false',
        type: 'BOOLEAN',
        name: String(content.value),
      };
    case 'null':
      return { sql: 'NULL', type: 'VOID', name: 'NULL', literal: null };
    case 'parameter':
      return writeParameter(writer, content);
    case 'column':
      return writeColumn(writer, content);
    case 'identifier':
      return writeColumn(writer, { name: content });
    case 'paren': {
      const inner = writer.write(content.this);
      return { ...inner, sql: `(${inner.sql})` };
    }
    case 'alias':
      return writer.write(content.this);
    case 'neg':
      return writeNegative(writer, content);
    case 'not': {
      const like = ['like', 'i_like'].find((word) => getContent(content.this, word).quantifier != null);
      if (like !== undefined)
        return writeLike(writer, like === 'like' ? 'like' : 'i_like', getContent(content.this, like), true);
      const sub = findSubqueryTest(content.this);
      if (sub !== null) return writeIn(writer, { ...sub, not: sub.not !== true });
      const inner = writer.write(content.this);
      return { sql: `(NOT ${inner.sql})`, type: 'BOOLEAN', name: named`(NOT ${inner})` };
    }
    case 'and':
    case 'or': {
      const [left, right] = [writer.write(content.left), writer.write(content.right)];
      const word = kind.toUpperCase();
      return {
        sql: `(${left.sql} ${word} ${right.sql})`,
        type: 'BOOLEAN',
        name: named`(${left} ${word} ${right})`,
      };
    }
    case 'eq':
    case 'neq':
    case 'lt':
    case 'lte':
    case 'gt':
    case 'gte':
    case 'null_safe_eq':
    case 'null_safe_neq':
      return writeComparison(kind, writeCompared(writer, content.left), writeCompared(writer, content.right));
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
    case 'mod':
      return writeArithmetic(kind, writer.operand(content.left), writer.operand(content.right));
    case 'int_div':
      return writeArithmetic('int_div', writer.write(content.this), writer.write(content.expression));
    case 'mod_func':
      return writeArithmetic('mod', writer.write(content.this), writer.write(content.expression));
    case 'bitwise_and':
    case 'bitwise_or':
    case 'bitwise_xor':
    case 'concat':
      return writeBinary(kind, writer.write(content.left), writer.write(content.right));
    case 'bitwise_not': {
      const inner = writer.write(content.this);
      return { sql: `(~${inner.sql})`, type: inner.type, name: named`~${inner}` };
    }
    case 'is_null': {
      const inner = writer.write(content.this);
      const negated = content.not === true ? ' NOT' : '';
      return {
        sql: `(${inner.sql} IS${negated} NULL)`,
        type: 'BOOLEAN',
        name: named`(${inner} IS${negated} NULL)`,
      };
    }
    case 'is_true':
    case 'is_false': {
      const inner = writer.write(content.this);
      const negated = content.not === true ? ' NOT' : '';
      const word = kind === 'is_true' ? 'TRUE' : 'FALSE';
      return { sql: `(${inner.sql} IS${negated} ${word})`, type: 'BOOLEAN', name: null };
    }
    case 'between':
      return writeBetween(writer, content);
    case 'in':
      return writeIn(writer, content);
    case 'like':
    case 'i_like':
      return writeLike(writer, kind, content);
    case 'regexp_like': {
      const [text, pattern] = [writer.write(content.this), writer.write(content.pattern)];
      checkPattern(pattern);
      const negated = content.not === true ? 'NOT ' : '';
      return {
        sql: `(${negated}regexp_matches(spark_text(${text.sql}), ${pattern.sql}))`,
        type: 'BOOLEAN',
        name: named`RLIKE(${text}, ${pattern})`,
      };
    }
    case 'case':
      return writeCase(writer, content);
    case 'cast':
    case 'try_cast':
    case 'safe_cast':
      return writeCast(
        writer.write(content.this),
        readType(content.to),
        kind === 'cast' ? 'CAST' : 'TRY_CAST',
      );
    case 'subscript':
      return writeSubscript(writer, content);
    case 'dot':
      return writeField(writer, content);
    case 'subquery': {
      const { sql, columns } = writer.inside([], () => writer.query(content.this));
      const type = columns?.size === 1 ? ([...columns.values()][0] ?? null) : null;
      return { sql: `(${sql})`, type, name: null };
    }
    case 'exists': {
      const { sql } = writer.inside([], () => writer.query(content.this));
      return { sql: `(${content.not === true ? 'NOT ' : ''}EXISTS (${sql}))`, type: 'BOOLEAN', name: null };
    }
    case 'tuple':
      return refuseOnFolder('Several values in parentheses', 'write struct(…)');
    case 'interval':
      return refuseOnFolder('An INTERVAL as a value');
    case 'star':
      return refuseOnFolder('* among the arguments of a function', 'name the columns');
    case 'lambda':
      return refuseOnFolder('A lambda here');
    case 'j_s_o_n_extract':
      return writeJsonPath(writer, content);
    default: {
      const call = writeCall(writer, node, {});
      return call ?? refuseOnFolder(describeKind(kind));
    }
  }
}

/** Finds IN with a query, in parentheses or not: its negative is not the opposite where there are nulls. */
function findSubqueryTest(node: unknown): SyntaxNode | null {
  if (getKind(node) === 'paren') return findSubqueryTest(getContent(node, 'paren').this);
  const test = getContent(node, 'in');
  return getKind(node) === 'in' && isPresent(test.query) ? test : null;
}

/** An argument or operand that may be an interval, which is no value by itself. */
export function writeOperand(writer: StatementWriter, node: unknown): Written {
  return getKind(node) === 'interval' ? writeInterval(getContent(node, 'interval')) : writer.write(node);
}
