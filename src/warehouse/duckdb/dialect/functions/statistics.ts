import type { Call } from '../call.ts';
import { arrayType } from '../nested-types.ts';
import { refuseOnFolder } from '../refused.ts';
import { writeAggregate } from '../templates.ts';
import { isNumeric } from '../types.ts';
import { named, type Written } from '../written.ts';
import { aggregates, type Family } from './family.ts';

/** Writes an aggregate that is NaN once one of its numbers is infinite, where DuckDB fails. */
const ofFinite = (aggregate: string) =>
  `CASE WHEN {bool_or(isinf($d1))} THEN CAST('NaN' AS DOUBLE) ELSE {${aggregate}($d1)|NOT isinf($d1)} END`;

/** Aggregates of statistics. */
export const statistics: Family = {
  ...aggregates([
    ['corr', 'spark_corr({corr($d1, $d2)}, {regr_count($d1, $d2)})', 'DOUBLE'],
    ['covar_pop', 'covar_pop($d1, $d2)', 'DOUBLE'],
    ['covar_samp', 'covar_samp($d1, $d2)', 'DOUBLE'],
    ['kurtosis', 'spark_kurtosis({kurtosis_pop($d1)}, {var_pop($d1)})', 'DOUBLE'],
    ['skewness', 'spark_skewness({skewness($d1)}, {count($d1)}, {var_pop($d1)})', 'DOUBLE'],
    ['regr_avgx', 'regr_avgx($f1, $f2)', 'DOUBLE'],
    ['regr_avgy', 'regr_avgy($f1, $f2)', 'DOUBLE'],
    ['regr_count', 'CAST({regr_count($d1, $d2)} AS BIGINT)', 'BIGINT'],
    ['regr_intercept', 'spark_with_nan({sum($d1 + $d2)}, {regr_intercept($d1, $d2)})', 'DOUBLE'],
    ['regr_r2', 'regr_r2($d1, $d2)', 'DOUBLE'],
    ['regr_slope', 'spark_with_nan({sum($d1 + $d2)}, {regr_slope($d1, $d2)})', 'DOUBLE'],
    ['regr_sxx', 'regr_sxx($d1, $d2)', 'DOUBLE'],
    ['regr_sxy', 'regr_sxy($d1, $d2)', 'DOUBLE'],
    ['regr_syy', 'regr_syy($d1, $d2)', 'DOUBLE'],
    ['std stddev stddev_samp', ofFinite('stddev_samp'), 'DOUBLE'],
    ['stddev_pop', ofFinite('stddev_pop'), 'DOUBLE'],
    ['var_pop', ofFinite('var_pop'), 'DOUBLE'],
    ['var_samp variance', ofFinite('var_samp'), 'DOUBLE'],
    ['median', 'quantile_cont($d1, 0.5)', 'DOUBLE'],
  ]),
  percentile: (call) => {
    const [, share, frequency] = call.args;
    if (frequency !== undefined) return refuseOnFolder('percentile() with a frequency');
    const list = share?.type?.startsWith('ARRAY') === true;
    const type = list ? 'ARRAY<DOUBLE>' : 'DOUBLE';
    return writeAggregate(call, '{quantile_cont($d1, $2)}', type, 'percentile($1, $2, 1)');
  },
  percentile_approx: writeApproximate,
  approx_percentile: writeApproximate,
  percentile_cont: (call) => writeWithin(call, 'quantile_cont'),
  percentile_disc: (call) => writeWithin(call, 'quantile_disc'),
};

function writeApproximate(call: Call): Written {
  const [value, share] = call.args;
  const type = value?.type ?? null;
  if (share === undefined) return refuseOnFolder(`${call.name}() with so few arguments`);
  const accuracy = call.args[2];
  if (accuracy !== undefined && !(accuracy.type === 'INT' && Number(accuracy.literal) >= 100))
    return refuseOnFolder(`${call.name}() with an accuracy below 100`);
  const isList = share.type?.startsWith('ARRAY') === true;
  if (type !== null && !isNumeric(type)) return refuseOnFolder(`${call.name}() of ${type}`);
  return writeAggregate(call, '{quantile_disc($1, $2)}', isList ? arrayType(type) : type, [
    `${call.name}($1, $2, 10000)`,
    `${call.name}($1, $2, $3)`,
  ]);
}

function writeWithin(call: Call, quantile: string): Written {
  const [order] = call.within ?? [];
  const [share] = call.args;
  if (order === undefined || call.within?.length !== 1 || share === undefined)
    return refuseOnFolder(`${call.name}() without WITHIN GROUP`);
  const value = call.writer.write(order.this);
  if (value.type !== null && !isNumeric(value.type)) return refuseOnFolder(`${call.name}() of ${value.type}`);
  if (order.desc === true) return refuseOnFolder(`${call.name}() in descending order`);
  const shown = named`${call.name}(${share}) WITHIN GROUP (ORDER BY ${value})`;
  const written = writeAggregate(
    { ...call, args: [value, share], within: null },
    `{${quantile}($d1, $2)}`,
    share.type?.startsWith('ARRAY') === true ? 'ARRAY<DOUBLE>' : 'DOUBLE',
  );
  return { ...written, name: call.over === null && call.filter === null ? shown : null };
}
