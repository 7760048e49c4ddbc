/** Values of types that only DuckDB has, with the Databricks names of their types and their JSON. */
export const duckDbValueCases: [name: string, expression: string, type: string, expected: unknown][] = [
  ['an unsigned BIGINT', '18446744073709551615::UBIGINT', 'DECIMAL(20,0)', '18446744073709551615'],
  ['an INTERVAL of months', "INTERVAL '14' MONTH", 'INTERVAL', "INTERVAL '1-2' YEAR TO MONTH"],
  [
    'an INTERVAL of days and times',
    "TIMESTAMP '2026-01-04 03:04:05.5' - TIMESTAMP '2026-01-02 00:00:00'",
    'INTERVAL',
    "INTERVAL '2 03:04:05.5' DAY TO SECOND",
  ],
  [
    'an INTERVAL of months, days and times',
    "INTERVAL '13' MONTH + INTERVAL '2' DAY + INTERVAL '90' SECOND",
    'INTERVAL',
    '1 years 1 months 2 days 1 minutes 30 seconds',
  ],
  ['UUID', "'550e8400-e29b-41d4-a716-446655440000'::UUID", 'STRING', '550e8400-e29b-41d4-a716-446655440000'],
  ['TIME', "TIME '08:30:00.25'", 'STRING', '08:30:00.25'],
];
