import { getContent, type SyntaxNode } from '../../../../sql-check/syntax-tree.ts';
import { quoteText } from '../../text.ts';
import { formatDecimal, formatDouble } from '../java-numbers.ts';
import { refuseOnFolder } from '../refused.ts';
import type { StatementWriter } from '../statement-writer.ts';
import { named, type Written } from '../written.ts';

/** Writes a text, bytes or a number. */
export function writeLiteral(content: SyntaxNode): Written {
  const value = String(content.value);
  switch (content.literal_type) {
    case 'string':
      return { sql: quoteText(value), type: 'STRING', name: value, literal: value };
    case 'hex_string':
      return {
        sql: `unhex('${value}')`,
        type: 'BINARY',
        name: `X'${value.length % 2 === 0 ? '' : '0'}${value.toUpperCase()}'`,
      };
    case 'number':
      return writeNumber(value);
    default:
      return refuseOnFolder(`A literal of the kind ${String(content.literal_type)}`);
  }
}

/** Writes the negative of a value; of a number, as one literal. */
export function writeNegative(writer: StatementWriter, content: SyntaxNode): Written {
  const literal = getContent(content.this, 'literal');
  if (literal.literal_type === 'number') return writeNumber(`-${String(literal.value)}`);
  const inner = writer.write(content.this);
  if (inner.type === 'STRING') refuseOnFolder('The negative of a text', 'CAST it');
  return { sql: `(- ${inner.sql})`, type: inner.type, name: named`(- ${inner})` };
}

/** Writes a parameter with the type of its value. */
export function writeParameter(writer: StatementWriter, content: SyntaxNode): Written {
  const name = String(content.name);
  const value = writer.parameters[name];
  const type =
    typeof value === 'string'
      ? 'STRING'
      : typeof value === 'boolean'
        ? 'BOOLEAN'
        : typeof value === 'number'
          ? Number.isSafeInteger(value)
            ? 'BIGINT'
            : 'DOUBLE'
          : null;
  return { sql: `$${name}`, type, name: null, isParameter: true };
}

function writeNumber(value: string): Written {
  if (/e/i.test(value))
    return { sql: value, type: 'DOUBLE', name: formatDouble(Number(value)), literal: Number(value) };
  const digits = value.replace('-', '');
  if (digits.includes('.')) {
    const [whole = '', fraction = ''] = digits.split('.');
    const scale = fraction.length;
    const precision = Math.max(whole.replace(/^0+/, '').length + scale, scale, 1);
    if (precision > 38) refuseOnFolder('A number of more than 38 digits');
    const type = `DECIMAL(${precision},${scale})`;
    const sign = value.startsWith('-') && /[1-9]/.test(digits) ? '-' : '';
    const text = `${sign}${whole === '' ? '0' : whole}${scale === 0 ? '' : `.${fraction}`}`;
    // DuckDB counts the zero before the point.
    return {
      sql: scale === precision || scale === 0 ? `CAST('${text}' AS ${type})` : text,
      type,
      name: formatDecimal(text),
      literal: Number(value),
    };
  }
  const number = BigInt(value);
  if (number >= -(2n ** 31n) && number < 2n ** 31n)
    return {
      sql: number === -(2n ** 31n) ? `CAST(${value} AS INTEGER)` : value,
      type: 'INT',
      name: number.toString(),
      literal: Number(value),
    };
  if (number >= -(2n ** 63n) && number < 2n ** 63n)
    return {
      sql: `CAST(${value} AS BIGINT)`,
      type: 'BIGINT',
      name: number.toString(),
      literal: Number(value),
    };
  if (digits.length > 38) refuseOnFolder('A number of more than 38 digits');
  return {
    sql: `CAST('${value}' AS DECIMAL(${digits.length},0))`,
    type: `DECIMAL(${digits.length},0)`,
    name: number.toString(),
  };
}
