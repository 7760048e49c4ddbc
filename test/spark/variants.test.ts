import { expect } from 'vitest';
import { parseJsonValue } from '../../src/warehouse/value.ts';
import { onEveryFront } from '../support/on-spark.ts';
import { batchesOf, statement } from '../warehouse/reading.ts';

/** Values of every kind that a VARIANT can hold. */
const VARIANTS: readonly string[] = [
  `parse_json('{"b": [1, 2.50, null, "x", {"deep": {}}], "a": true, "__proto__": [], "ü": false}')`,
  `parse_json('[1, 127, -128, 32767, 2147483647, 9223372036854775807, -9007199254740993, 1e300, 0.1]')`,
  `parse_json('12345678901234567890.123456789')`,
  `parse_json(concat('["', repeat('long ', 100), '"]'))`,
  `parse_json(concat('[', repeat('1,', 300), '2]'))`,
  `parse_json(concat('{', array_join(transform(sequence(1, 300), i -> concat('"key', i, '": ', i)), ','), '}'))`,
  `CAST(DATE '1582-10-04' AS VARIANT)`,
  `CAST(TIMESTAMP '2026-01-02 03:04:05.123456Z' AS VARIANT)`,
  `CAST(TIMESTAMP_NTZ '2026-01-02 03:04:05' AS VARIANT)`,
  `CAST(CAST('1.10' AS DECIMAL(38, 18)) AS VARIANT)`,
  `CAST(-100BD AS VARIANT)`,
  `CAST(0.1F AS VARIANT)`,
  `CAST(X'00FF' AS VARIANT)`,
  `CAST(array(1, NULL) AS VARIANT)`,
  `CAST(CAST(NULL AS STRING) AS VARIANT)`,
];

onEveryFront((test) => {
  test('a VARIANT is what its JSON says, also in lists and structs', {
    timeout: 300_000,
  }, async ({ front, open }) => {
    const warehouse = await open(front.openWarehouse());
    const columns = VARIANTS.map((value, index) => `${value} AS v${index}, TO_JSON(${value}) AS j${index}`);
    const nested = `array(named_struct('v', ${VARIANTS[0]})) AS nested`;
    const [batch] = await batchesOf(warehouse, statement(`SELECT ${columns.join(', ')}, ${nested}`), 10);
    const row = batch?.rows[0] ?? {};
    for (const [index, value] of VARIANTS.entries()) {
      const json = row[`j${index}`];
      expect(row[`v${index}`], value).toEqual(json === null ? null : parseJsonValue(String(json)));
    }
    expect(row.nested).toEqual([{ v: row.v0 }]);
  });
});
