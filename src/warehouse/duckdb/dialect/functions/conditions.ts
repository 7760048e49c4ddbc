import { quoteText } from '../../text.ts';
import { isNested, toArgument } from '../arguments.ts';
import { type Call, readPair, showCall, writeResult } from '../call.ts';
import { toText } from '../casts.ts';
import { writeComparison } from '../operators.ts';
import { refuseOnFolder } from '../refused.ts';
import { areUnlike, named, unify, type Written } from '../written.ts';
import { type Family, scalars } from './family.ts';

/** Functions that choose, compare or check values. */
export const conditions: Family = {
  ...scalars([
    ['isnotnull', '($1 IS NOT NULL)', 'BOOLEAN', '($1 IS NOT NULL)'],
    ['raise_error', "error(coalesce($t1, 'null'))", 'VOID'],
    ['isnull', '($1 IS NULL)', 'BOOLEAN', '($1 IS NULL)'],
  ]),
  coalesce: writeCoalesce,
  ifnull: writeCoalesce,
  nvl: writeCoalesce,
  nvl2: (call) => {
    const [test, one, other] = call.args;
    if (test === undefined || one === undefined || other === undefined)
      return refuseOnFolder('nvl2() with so few arguments');
    const type = unify([one, other], 'nvl2()');
    return writeResult(call, type, `CASE WHEN ${test.sql} IS NOT NULL THEN ${one.sql} ELSE ${other.sql} END`);
  },
  if: writeIf,
  iff: writeIf,
  nullif: (call) => {
    const [one, other] = readPair(call);
    return writeResult(
      call,
      one.type,
      `CASE WHEN ${writeComparison('eq', one, other).sql} THEN NULL ELSE ${one.sql} END`,
    );
  },
  nullifzero: (call) => {
    const number = readNumber(call);
    return writeResult(
      call,
      call.args[0]?.type ?? null,
      `CASE WHEN ${number} = 0 THEN NULL ELSE ${number} END`,
    );
  },
  zeroifnull: (call) => {
    const number = call.args[0]?.type === 'VOID' ? 'CAST(NULL AS INTEGER)' : readNumber(call);
    return writeResult(call, call.args[0]?.type ?? null, `coalesce(${number}, 0)`);
  },
  equal_null: (call) => ({
    ...writeComparison('null_safe_eq', ...readPair(call)),
    name: showCall(call),
  }),
  greatest: (call) => writeExtreme(call, 'greatest'),
  least: (call) => writeExtreme(call, 'least'),
  typeof: (call) => {
    const type = call.args[0]?.type ?? null;
    if (type === null || type.includes('?')) return refuseOnFolder('typeof() of what only a column knows');
    return writeResult(
      call,
      'STRING',
      quoteText(type.toLowerCase().replaceAll(', ', ',').replaceAll(': ', ':')),
    );
  },
  assert_true: (call) => {
    const [condition, message] = call.args;
    const text =
      message === undefined
        ? quoteText(`'${condition?.name ?? 'the condition'}' is not true!`)
        : toText(message);
    // Databricks shows how the condition was written, which is not known of a conversion.
    const shown =
      condition?.name == null || condition.name === '1' || condition.name === '0'
        ? null
        : message === undefined
          ? `assert_true(${condition.name}, '${condition.name}' is not true!)`
          : showCall(call);
    return { sql: `spark_assert(${toArgument(call, condition, 'B')}, ${text})`, type: 'VOID', name: shown };
  },
};

function writeCoalesce(call: Call): Written {
  const type = unify(call.args, `${call.name}()`);
  return writeResult(call, type, `coalesce(${call.args.map(({ sql }) => sql).join(', ')})`);
}

function writeIf(call: Call): Written {
  const [test, one, other] = call.args;
  if (test === undefined || one === undefined || other === undefined)
    return refuseOnFolder('if() with so few arguments');
  const type = unify([one, other], 'if()');
  const shown = named`(IF(${test}, ${one}, ${other}))`;
  return { sql: `CASE WHEN ${test.sql} THEN ${one.sql} ELSE ${other.sql} END`, type, name: shown };
}

/** The number that a call takes. A text is refused, because the engines give the result different types. */
function readNumber(call: Call): string {
  const [value] = call.args;
  if (value?.type === 'STRING') return refuseOnFolder(`${call.name}() of a text`, 'CAST it');
  return toArgument(call, value, 'n');
}

function writeExtreme(call: Call, word: string): Written {
  const type = unify(call.args, `${word}()`);
  if (call.args.some((value) => isNested(value.type) || areUnlike(value.type, type)))
    return refuseOnFolder(`${word}() of this type`);
  return writeResult(call, type, `${word}(${call.args.map(({ sql }) => sql).join(', ')})`);
}
