/** Values of types that only DuckDB has, with the Databricks names of their types and their JSON. */
export const duckDbValueCases: [name: string, expression: string, type: string, expected: unknown][] = [
  ['an unsigned BIGINT', '18446744073709551615::UBIGINT', 'DECIMAL(20,0)', '18446744073709551615'],
  ['INTERVAL', "INTERVAL '1' MONTH + INTERVAL '2' DAY", 'INTERVAL', '1 month 2 days'],
  ['UUID', "'550e8400-e29b-41d4-a716-446655440000'::UUID", 'STRING', '550e8400-e29b-41d4-a716-446655440000'],
  ['TIME', "TIME '08:30:00.25'", 'STRING', '08:30:00.25'],
];
