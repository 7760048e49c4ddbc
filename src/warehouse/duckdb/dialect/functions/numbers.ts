import { getContent, getKind } from '../../../../sql-check/syntax-tree.ts';
import { isNested, toArgument } from '../arguments.ts';
import { type Call, readPair, writeResult } from '../call.ts';
import { writeArithmetic } from '../operators.ts';
import { refuseOnFolder } from '../refused.ts';
import { named, type Written } from '../written.ts';
import { COMMON, type Family, FIRST, scalars } from './family.ts';

/** Functions of numbers. */
export const numbers: Family = {
  ...scalars([
    ['acos', 'spark_acos($d1)', 'DOUBLE', 'ACOS'],
    ['acosh', 'spark_acosh($d1)', 'DOUBLE', 'ACOSH'],
    ['asin', 'spark_asin($d1)', 'DOUBLE', 'ASIN'],
    ['asinh', 'asinh($d1)', 'DOUBLE', 'ASINH'],
    ['atan', 'atan($d1)', 'DOUBLE', 'ATAN'],
    ['atan2', 'atan2($d1, $d2)', 'DOUBLE', 'ATAN2'],
    ['atanh', 'spark_atanh($d1)', 'DOUBLE', 'ATANH'],
    ['cbrt', 'cbrt($d1)', 'DOUBLE', 'CBRT'],
    ['cos', 'spark_cos($d1)', 'DOUBLE', 'COS'],
    ['cosh', 'cosh($d1)', 'DOUBLE', 'COSH'],
    ['cot', 'spark_cot($d1)', 'DOUBLE', 'COT'],
    ['csc', '(1 / spark_sin($d1))', 'DOUBLE', 'CSC'],
    ['sec', '(1 / spark_cos($d1))', 'DOUBLE', 'SEC'],
    ['degrees', 'degrees($d1)', 'DOUBLE', 'DEGREES'],
    ['radians', 'radians($d1)', 'DOUBLE', 'RADIANS'],
    ['e', 'spark_e()', 'DOUBLE', 'E'],
    ['pi', 'pi()', 'DOUBLE', 'PI'],
    ['exp', 'exp($d1)', 'DOUBLE', 'EXP'],
    ['expm1', 'spark_expm1($d1)', 'DOUBLE', 'EXPM1'],
    ['log1p', 'spark_log1p($d1)', 'DOUBLE', 'LOG1P'],
    ['ln', 'spark_ln($d1)', 'DOUBLE'],
    ['log10', 'spark_log10($d1)', 'DOUBLE', 'LOG10'],
    ['log2', 'spark_log2($d1)', 'DOUBLE', 'LOG2'],
    ['sin', 'spark_sin($d1)', 'DOUBLE', 'SIN'],
    ['sinh', 'sinh($d1)', 'DOUBLE', 'SINH'],
    ['tan', 'spark_tan($d1)', 'DOUBLE', 'TAN'],
    ['tanh', 'tanh($d1)', 'DOUBLE', 'TANH'],
    ['sqrt', 'spark_sqrt($d1)', 'DOUBLE', 'SQRT'],
    ['hypot', 'spark_hypot($d1, $d2)', 'DOUBLE', 'HYPOT'],
    ['pow power', 'spark_power($d1, $d2)', 'DOUBLE', 'POWER'],
    ['sign', 'CAST(sign($d1) AS DOUBLE)', 'DOUBLE'],
    ['signum', 'CAST(sign($d1) AS DOUBLE)', 'DOUBLE', 'SIGNUM'],
    ['factorial', 'spark_factorial($i1)', 'BIGINT'],
    ['isnan is_nan', 'coalesce(isnan($d1), false)', 'BOOLEAN'],
    ['width_bucket', 'spark_width_bucket($d1, $d2, $d3, $l4)', 'BIGINT'],
    ['negative', '(- $n1)', FIRST],
    ['log', ['spark_ln($d1)', 'spark_log($d1, $d2)'], 'DOUBLE', ['LOG(E(), $1)', 'LOG($1, $2)']],
    ['pmod', 'spark_pmod($n1, $n2)', COMMON],
    ['nanvl', 'spark_nanvl($d1, $d2)', 'DOUBLE'],
    ['rand random', 'random()', 'DOUBLE', 'rand()'],
  ]),
  abs: (call) => {
    const [value] = call.args;
    if (isNested(value?.type ?? null)) return refuseOnFolder('abs() of this type');
    const type = value?.type === 'STRING' ? 'DOUBLE' : (value?.type ?? null);
    return writeResult(call, type, `abs(${toArgument(call, value, 'n')})`);
  },
  positive: (call) => {
    const [value] = call.args;
    if (value === undefined) return refuseOnFolder('positive() without an argument');
    return { sql: toArgument(call, value, 'n'), type: value.type, name: named`(+ ${value})` };
  },
  mod: (call) => writeArithmetic('mod', ...readPair(call)),
  div: (call) => writeArithmetic('int_div', ...readPair(call)),
  try_add: (call) => writeTry(call, 'add'),
  try_subtract: (call) => writeTry(call, 'sub'),
  try_multiply: (call) => writeTry(call, 'mul'),
  try_divide: (call) => writeTry(call, 'div'),
  try_mod: (call) => writeTry(call, 'mod'),
};

/** Whether an argument is read as it stands. */
function isPlain(node: unknown): boolean {
  const kind = getKind(node);
  if (kind === 'paren' || kind === 'cast' || kind === 'neg') return isPlain(getContent(node, kind).this);
  return kind !== null && /^(?:literal|column|null|boolean|parameter|interval|identifier)$/.test(kind);
}

function writeTry(call: Call, kind: 'add' | 'sub' | 'mul' | 'div' | 'mod'): Written {
  if (!call.nodes.every(isPlain))
    return refuseOnFolder(
      `${call.name}() of a calculation, whose own errors it must not hide`,
      'name it in a sub-query',
    );
  const { sql, type } = writeArithmetic(kind, ...readPair(call));
  return writeResult(call, type, `TRY(${sql})`);
}
