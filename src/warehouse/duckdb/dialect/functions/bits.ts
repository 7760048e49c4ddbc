import { type Family, FIRST, scalars } from './family.ts';

/** Functions of the bits of whole numbers, and of their digits in other bases. */
export const bits: Family = {
  ...scalars([
    ['bin', 'spark_js_bin($l1)', 'STRING'],
    ['conv', 'spark_js_conv($t1, $i2, $i3)', 'STRING'],
    ['hex', 'spark_hex($h1)', 'STRING'],
    ['unhex', 'spark_unhex($t1)', 'BINARY'],
    ['shiftleft', 'spark_shift_left($I1, $i2)', FIRST],
    ['shiftright', 'spark_shift_right($I1, $i2)', FIRST],
    ['shiftrightunsigned', 'spark_shift_right_unsigned($I1, $i2)', FIRST],
    ['bit_count', 'spark_bit_count($1)', 'INT'],
    ['bit_get getbit', 'spark_bit_get($I1, $I2)', 'TINYINT'],
    ['bitmap_bit_position', 'spark_bitmap_bit_position($l1)', 'BIGINT'],
    ['bitmap_bucket_number', 'spark_bitmap_bucket_number($l1)', 'BIGINT'],
  ]),
};
