import { isNested } from '../arguments.ts';
import { type Call, writeResult } from '../call.ts';
import { refuseOnFolder } from '../refused.ts';
import { isDecimal, type KnownType } from '../types.ts';
import type { Written } from '../written.ts';
import { type Family, scalars } from './family.ts';

/** Functions that hash. */
export const hashes: Family = {
  ...scalars([
    ['crc32', 'spark_js_crc32($b1)', 'BIGINT'],
    ['md5', 'spark_md5($b1)', 'STRING'],
    ['sha sha1', 'sha1($b1)', 'STRING'],
    ['sha2', 'spark_js_sha2($b1, $i2)', 'STRING'],
  ]),
  hash: (call) => writeHash(call, 'spark_murmur', 'INT', '42'),
  xxhash64: (call) => writeHash(call, 'spark_xxhash', 'BIGINT', 'CAST(42 AS BIGINT)'),
};

function writeHash(call: Call, macro: string, type: KnownType, seed: string): Written {
  const sql = call.args.reduce((before, value) => {
    if (isNested(value.type) || value.type === null || isDecimal(value.type))
      return refuseOnFolder(`${call.name}() of a column, or of this type`);
    return value.type === 'VOID' ? before : `${macro}(${value.sql}, ${before})`;
  }, seed);
  return writeResult(call, type, sql);
}
