import { aggregateFunctions } from './functions/aggregates.ts';
import { arrays } from './functions/arrays.ts';
import { bits } from './functions/bits.ts';
import { casts } from './functions/casts.ts';
import { conditions } from './functions/conditions.ts';
import { encodings } from './functions/encodings.ts';
import type { Family } from './functions/family.ts';
import { formats } from './functions/formats.ts';
import { hashes } from './functions/hashes.ts';
import { json } from './functions/json.ts';
import { lambdas } from './functions/lambdas.ts';
import { listAggregates } from './functions/list-aggregates.ts';
import { maps } from './functions/maps.ts';
import { numbers } from './functions/numbers.ts';
import { paddings } from './functions/paddings.ts';
import { regularExpressions } from './functions/regular-expressions.ts';
import { rounding } from './functions/rounding.ts';
import { statistics } from './functions/statistics.ts';
import { structs } from './functions/structs.ts';
import { texts } from './functions/texts.ts';
import { timeArithmetic } from './functions/time-arithmetic.ts';
import { timeParts } from './functions/time-parts.ts';
import { times } from './functions/times.ts';
import { windowFunctions } from './functions/windows.ts';

const FAMILIES: readonly Family[] = [
  ...[numbers, rounding, bits],
  ...[texts, paddings, encodings, formats, hashes, regularExpressions],
  ...[conditions, casts],
  ...[times, timeParts, timeArithmetic],
  ...[arrays, maps, structs, lambdas, json],
  ...[aggregateFunctions, listAggregates, statistics, windowFunctions],
];

/** Every function that the folder provides, and how a call of it is written. All others are refused there by name. */
export const FUNCTIONS: ReadonlyMap<string, Family[string]> = new Map(
  FAMILIES.flatMap(Object.entries<Family[string]>),
);
