import { quoteText } from '../../text.ts';
import { toArgument, toWrittenTime } from '../arguments.ts';
import { type Call, showCall, writeResult } from '../call.ts';
import { readDatePattern, writeDateFormat } from '../date-patterns.ts';
import { parseDigitFormat } from '../digit-format.ts';
import { refuseOnFolder } from '../refused.ts';
import { isDecimal, isFloating, isInteger, isTime } from '../types.ts';
import type { Written } from '../written.ts';
import type { Family } from './family.ts';

/** Functions that write values in a format, and read them. */
export const formats: Family = {
  to_char: writeToChar,
  to_varchar: writeToChar,
  to_number: (call) => writeToNumber(call, false),
  try_to_number: (call) => writeToNumber(call, true),
  format_number: (call) => {
    const [value, digits] = call.args;
    if (typeof digits?.literal === 'string')
      return refuseOnFolder('format_number() with a pattern', 'write the number of digits');
    const number = isFloating(value?.type ?? null)
      ? `spark_js_double_text(${value?.sql})`
      : value?.type === null
        ? `spark_number_text(${value.sql})`
        : `CAST(${toArgument(call, value, 'n')} AS VARCHAR)`;
    return writeResult(call, 'STRING', `spark_js_format_number(${number}, ${toArgument(call, digits, 'i')})`);
  },
  format_string: writeFormatString,
  printf: writeFormatString,
};

function writeToChar(call: Call): Written {
  const [value, format] = call.args;
  const type = value?.type ?? null;
  if (type === 'BINARY') {
    const word = typeof format?.literal === 'string' ? format.literal.toLowerCase() : '';
    const known = BYTES.get(word) ?? refuseOnFolder(`${call.name}() with this format`);
    const isRenamed = call.name === 'to_char';
    const label =
      known === 'decode'
        ? showCall(call, isRenamed ? 'decode' : call.name)
        : value?.name == null
          ? null
          : `${isRenamed ? word : call.name}(${value.name})`;
    return { sql: `${known}(${value?.sql})`, type: 'STRING', name: label };
  }
  if (isTime(type))
    return {
      sql: writeDateFormat(toWrittenTime(call, value), readDatePattern(format)),
      type: 'STRING',
      name: showCall(call, 'date_format'),
    };
  if (!isInteger(type) && !isDecimal(type))
    return refuseOnFolder(`${call.name}() of this type`, 'CAST it to DECIMAL');
  const { format: digits } = readDigits(call);
  return {
    sql: `spark_js_write_digits(CAST(${value?.sql} AS VARCHAR), ${quoteText(digits)})`,
    type: 'STRING',
    name: showCall(call, 'to_char'),
  };
}

/** How bytes are written in each format. */
const BYTES: ReadonlyMap<string, string> = new Map([
  ['base64', 'to_base64'],
  ['hex', 'hex'],
  ['utf-8', 'decode'],
]);

function writeToNumber(call: Call, isTry: boolean): Written {
  const { format, precision, scale } = readDigits(call);
  const type = `DECIMAL(${precision},${scale})`;
  const read = `CAST(spark_js_read_digits(${toArgument(call, call.args[0], 's')}, ${quoteText(format)}) AS ${type})`;
  return writeResult(call, type, isTry ? `TRY(${read})` : read);
}

/** Reads the format of a call, which must be in the statement. */
function readDigits(call: Call): {
  readonly format: string;
  readonly precision: number;
  readonly scale: number;
} {
  const literal = call.args[1]?.literal;
  const format = typeof literal === 'string' ? literal.toUpperCase() : '';
  const parsed = parseDigitFormat(format) ?? refuseOnFolder(`${call.name}() with this format`);
  const scale = parsed.fraction.length;
  return { format, precision: parsed.whole.replaceAll(',', '').length + scale, scale };
}

/** Splits a format that is in the statement, and formats each value by itself. */
function writeFormatString(call: Call): Written {
  const [format, ...values] = call.args;
  if (typeof format?.literal !== 'string')
    return refuseOnFolder(`${call.name}() with a format that is not in the statement`);
  const parts: string[] = [];
  let rest = format.literal;
  let next = 0;
  for (let match = FORMAT.exec(rest); match !== null; match = FORMAT.exec(rest)) {
    const before = rest.slice(0, match.index);
    if (before.includes('%')) return refuseOnFolder(`${call.name}() with such a format`);
    if (before !== '') parts.push(quoteText(before));
    rest = rest.slice(match.index + match[0].length);
    const [whole, flag = '', width = '', , digits, kind = ''] = match;
    if (whole === '%%' || whole === '%n') {
      parts.push(whole === '%%' ? "'%'" : 'chr(10)');
      continue;
    }
    const value = values[next];
    next += 1;
    if (value === undefined) return refuseOnFolder(`${call.name}() with more formats than values`);
    parts.push(pad(formatOne(call, value, kind, digits), flag, width));
  }
  if (rest.includes('%')) return refuseOnFolder(`${call.name}() with such a format`);
  if (rest !== '') parts.push(quoteText(rest));
  return writeResult(call, 'STRING', parts.length === 0 ? "''" : `(${parts.join(' || ')})`);
}

const FORMAT = /%(-|0)?(\d+)?(\.(\d+))?([sdf%nx])/;

function formatOne(call: Call, value: Written, kind: string, digits: string | undefined): string {
  if (kind === 's') {
    const text = `coalesce(${toArgument(call, value, 't')}, 'null')`;
    return digits === undefined ? text : `left(${text}, ${digits})`;
  }
  if (kind === 'd' && digits === undefined)
    return `coalesce(CAST(${toArgument(call, value, 'l')} AS VARCHAR), 'null')`;
  if (kind === 'f' && (isFloating(value.type) || isDecimal(value.type))) {
    const number = isDecimal(value.type)
      ? `CAST(${value.sql} AS VARCHAR)`
      : `spark_js_double_text(CAST(${value.sql} AS DOUBLE))`;
    return `coalesce(spark_js_fixed(${number}, ${digits ?? 6}), 'null')`;
  }
  return refuseOnFolder(`${call.name}() with %${kind} of this type`);
}

function pad(text: string, flag: string, width: string): string {
  if (width === '') return text;
  if (flag === '0') return refuseOnFolder('A format with leading zeros', 'write lpad()');
  return flag === '-' ? `spark_pad_right(${text}, ${width})` : `spark_pad_left(${text}, ${width})`;
}
