/** The rows of a table, each with the number of the version of the table that it belongs to. */
export function selectSorties(rows: number, version: number, from = 0): string {
  return `SELECT concat('S-', id) AS item_id, '${version}' AS mission_id, CAST(1.5 AS DOUBLE) AS flight_hours,
    timestamp_micros(id) AS updated_at FROM range(${from}, ${from + rows}, 1, 4)`;
}
