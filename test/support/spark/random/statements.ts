import type { Chance } from '../../chance.ts';
import type { TableVersion } from './table-version.ts';

/** What a statement is about. */
export interface StatementContext {
  readonly table: string;
  readonly prefix: string;
  /** How many rows the table begins with. */
  readonly rows: number;
  readonly togglesFeed: boolean;
  readonly chance: Chance;
  /** Returns a later time, in seconds. */
  tick(): number;
  /** Takes this many new numbers for rows. @returns the first one. */
  take(count: number): number;
}

interface Latest extends TableVersion {
  /** The oldest version whose files are there. */
  readonly oldestReadable: number;
}

type Kind = 'CREATE' | null;

/** Chooses what happens to a table next. */
export function chooseStatements(
  context: StatementContext,
  kind: Kind,
  latest: Latest | null,
): readonly string[] {
  if (kind === 'CREATE' || latest === null) return create(context, 'CREATE TABLE');
  const { chance, table } = context;
  const choices = [...CHANGES, ...(context.togglesFeed ? [[3, toggleFeed] as const] : [])];
  let at = chance.below(choices.reduce((sum, [weight]) => sum + weight, 0));
  // What is wrong is repaired soon, and an empty table is filled.
  if (latest.rows.length === 0) return insert(context);
  if (latest.rows.some(({ id, isBad }) => isBad || id === null) && chance.below(4) === 0)
    return [
      `DELETE FROM ${table} WHERE item_id IS NULL`,
      `UPDATE ${table} SET classification_marking = NULL WHERE classification_marking IS NOT NULL`,
    ];
  if (hasSharedIds(latest) && chance.below(6) === 0)
    return [`DELETE FROM ${table} WHERE mission_id LIKE 'TWIN%'`];
  for (const [weight, choose] of choices) {
    if (at < weight) return choose(context, latest);
    at -= weight;
  }
  return [];
}

type Choose = (context: StatementContext, latest: Latest) => readonly string[];

const CHANGES: readonly (readonly [weight: number, Choose])[] = [
  [14, insert],
  [14, update],
  [8, remove],
  [8, merge],
  [5, moveKeys],
  [4, restore],
  [4, vacuum],
  [2, (context) => create(context, 'CREATE OR REPLACE TABLE')],
  [1, ({ table, ...context }) => [`DROP TABLE ${table}`, ...create({ table, ...context }, 'CREATE TABLE')]],
  [3, addColumn],
  [3, changeColumn],
  [3, addTwins],
  [2, addBadRows],
  [3, comeAndGo],
  [2, ({ table }) => [`OPTIMIZE ${table}`]],
  [2, ({ table, tick }) => [`ALTER TABLE ${table} SET TBLPROPERTIES ('touched' = '${tick()}')`]],
  [1, ({ table }) => [`UPDATE ${table} SET flight_hours = 1 WHERE item_id = 'nobody'`]],
  [1, ({ table }) => [`DELETE FROM ${table}`]],
  [2, ({ table }) => [`INSERT OVERWRITE ${table} TABLE ${table}`]],
];

function create(context: StatementContext, how: string): readonly string[] {
  const { table, chance, rows, togglesFeed } = context;
  const feed = !togglesFeed || chance.below(2) === 0;
  const count = Math.floor(rows * (0.6 + chance.below(5) / 10));
  return [
    // With a column mapping and a change feed, Delta refuses CREATE TABLE … AS.
    `${how} ${table} (item_id STRING, mission_id STRING, flight_hours DOUBLE, updated_at TIMESTAMP, classification_marking STRING)
    USING DELTA TBLPROPERTIES ('delta.columnMapping.mode' = 'name', 'delta.enableTypeWidening' = 'true',
      'delta.enableDeletionVectors' = '${chance.below(2) === 0}', 'delta.enableChangeDataFeed' = '${feed}')`,
    `INSERT INTO ${table} ${COLUMNS} ${selectNew(context, count, chance.below(3) === 0 ? 0 : null)}`,
  ];
}

const COLUMNS = '(item_id, mission_id, flight_hours, updated_at)';

/** @param from the number of the first row; null for new ones. */
function selectNew(context: StatementContext, count: number, from: number | null = null): string {
  const { prefix, chance, tick } = context;
  const first = from ?? context.take(count);
  return `SELECT concat('${prefix}', id) AS item_id, concat('M-', id) AS mission_id,
    CAST(${chance.below(90)} + id % 10 AS DOUBLE) AS flight_hours, timestamp_seconds(${tick()}) AS updated_at
    FROM range(${first}, ${first + count}, 1, 2)`;
}

function insert(context: StatementContext): readonly string[] {
  const { table, chance } = context;
  const count = chance.oneOf([1, 7, 60, 400]);
  const late = chance.below(6) === 0;
  const rows = selectNew(context, count);
  return [
    `INSERT INTO ${table} ${COLUMNS} ${late ? `SELECT item_id, mission_id, flight_hours, timestamp_seconds(1767225000) FROM (${rows})` : rows}`,
  ];
}

/** A random share of the rows. */
function share({ chance }: StatementContext, parts: number): string {
  return `pmod(hash(item_id, ${chance.below(1_000)}), ${parts}) = 0`;
}

function update(context: StatementContext): readonly string[] {
  const { table, chance, tick } = context;
  const time = chance.below(5) === 0 ? '' : `, updated_at = timestamp_seconds(${tick()})`;
  const hours = chance.oneOf(['flight_hours + 1', String(chance.below(100)), 'NULL']);
  return [
    `UPDATE ${table} SET flight_hours = ${hours}${time} WHERE ${share(context, chance.oneOf([1, 3, 20, 200]))}`,
  ];
}

function remove(context: StatementContext): readonly string[] {
  const { table, chance } = context;
  const parts = chance.oneOf([200, 50, 20, 10, 3]);
  return [`DELETE FROM ${table} WHERE ${chance.below(60) === 0 ? 'true' : share(context, parts)}`];
}

function merge(context: StatementContext, { rows }: Latest): readonly string[] {
  const { table, chance } = context;
  const gone = chance.oneOf(['s.flight_hours > 60', 'false', 's.flight_hours > 85']);
  const bySource =
    chance.below(4) === 0 ? 'WHEN NOT MATCHED BY SOURCE AND t.flight_hours < 3 THEN DELETE' : '';
  if (hasShared(rows)) return update(context);
  return [
    `MERGE INTO ${table} t USING (
      SELECT * FROM (${selectNew(context, 80)}) UNION ALL
      SELECT DISTINCT item_id, 'M-merged', CAST(${chance.below(100)} AS DOUBLE), timestamp_seconds(${context.tick()}) FROM ${table}
        WHERE item_id IS NOT NULL AND ${share(context, 15)}) s
    ON t.item_id = s.item_id WHEN MATCHED AND ${gone} THEN DELETE
    WHEN MATCHED THEN UPDATE SET mission_id = s.mission_id, flight_hours = s.flight_hours, updated_at = s.updated_at
    WHEN NOT MATCHED THEN INSERT ${COLUMNS} VALUES (s.item_id, s.mission_id, s.flight_hours, s.updated_at) ${bySource}`,
  ];
}

function moveKeys(context: StatementContext): readonly string[] {
  const { table, chance, tick } = context;
  const time = chance.below(3) === 0 ? '' : `, updated_at = timestamp_seconds(${tick()})`;
  const moved = chance.below(3) === 0 ? `regexp_replace(item_id, '-moved', '')` : `concat(item_id, '-moved')`;
  return [
    `UPDATE ${table} SET item_id = ${moved}${time} WHERE length(item_id) < 40 AND ${share(context, chance.oneOf([300, 40]))}`,
  ];
}

function restore({ table, chance }: StatementContext, { number, oldestReadable }: Latest): readonly string[] {
  // The first version of a table has no rows.
  const first = Math.max(1, oldestReadable);
  return [`RESTORE TABLE ${table} TO VERSION AS OF ${Math.max(first, number - 1 - chance.below(8))}`];
}

function vacuum({ table }: StatementContext): readonly string[] {
  return [`VACUUM ${table} RETAIN 0 HOURS`];
}

const BASE = ['item_id', 'mission_id', 'flight_hours', 'updated_at', 'classification_marking'];

const listExtras = ({ columns }: TableVersion) => columns.filter((name) => !BASE.includes(name));

function addColumn(context: StatementContext): readonly string[] {
  const { table, tick, chance } = context;
  const name = `extra_${tick()}`;
  const type = chance.oneOf(['INT', 'STRING', 'DOUBLE']);
  return [
    `ALTER TABLE ${table} ADD COLUMN ${name} ${type}`,
    ...(chance.below(2) === 0
      ? []
      : [`UPDATE ${table} SET ${name} = ${chance.below(100)} WHERE ${share(context, 4)}`]),
  ];
}

function changeColumn(context: StatementContext, latest: Latest): readonly string[] {
  const { table, tick, chance } = context;
  const extras = listExtras(latest);
  const [first, ...others] = extras;
  if (first === undefined) return addColumn(context);
  const name = chance.oneOf([first, ...others]);
  switch (chance.below(4)) {
    case 0:
      return [`ALTER TABLE ${table} RENAME COLUMN ${name} TO extra_${tick()}`];
    case 1:
      return [`ALTER TABLE ${table} DROP COLUMN ${name}`];
    case 2:
      // Of an INT; others refuse it.
      return [`ALTER TABLE ${table} ALTER COLUMN ${name} TYPE BIGINT`];
    default:
      return [
        `ALTER TABLE ${table} DROP COLUMN ${name}`,
        `ALTER TABLE ${table} ADD COLUMN ${name} ${chance.oneOf(['STRING', 'BIGINT'])}`,
      ];
  }
}

/** Further rows of ids that are there. */
function addTwins(context: StatementContext): readonly string[] {
  const { table, tick } = context;
  const copied = `SELECT item_id, 'TWIN', flight_hours, timestamp_seconds(${tick()}) FROM ${table} WHERE item_id IS NOT NULL AND ${share(context, 200)}`;
  return [`INSERT INTO ${table} ${COLUMNS} ${copied}`];
}

/** Adds rows without an id, which a sortie does not need, and rows with an invalid marking. */
function addBadRows(context: StatementContext): readonly string[] {
  const { table, tick, chance } = context;
  const time = `timestamp_seconds(${tick()})`;
  return [
    chance.below(2) === 0
      ? `INSERT INTO ${table} ${COLUMNS} VALUES (NULL, 'M-${tick()}', 1, ${time}), (NULL, 'M-${tick()}', 2, ${time})`
      : `UPDATE ${table} SET classification_marking = 'BOGUS', updated_at = ${time} WHERE ${share(context, 400)}`,
  ];
}

/** Rows that come and are gone soon. */
function comeAndGo(context: StatementContext): readonly string[] {
  const { table } = context;
  const first = context.take(30);
  return [
    `INSERT INTO ${table} ${COLUMNS} ${selectNew(context, 30, first)}`,
    `ALTER TABLE ${table} SET TBLPROPERTIES ('touched' = '${context.tick()}')`,
    `OPTIMIZE ${table}`,
    `DELETE FROM ${table} WHERE mission_id IN (${Array.from({ length: 30 }, (_none, index) => `'M-${first + index}'`).join(', ')})`,
  ];
}

function toggleFeed({ table, chance }: StatementContext, { hasFeed }: Latest): readonly string[] {
  const set = (value: boolean) =>
    `ALTER TABLE ${table} SET TBLPROPERTIES ('delta.enableChangeDataFeed' = '${value}')`;
  if (!hasFeed) return [set(true)];
  return chance.below(2) === 0 ? [set(false)] : [set(false), set(true)];
}

function hasSharedIds({ rows }: TableVersion): boolean {
  return rows.some(({ content }) => content.includes('TWIN'));
}

function hasShared(rows: TableVersion['rows']): boolean {
  const ids = rows.flatMap(({ id }) => id ?? []);
  return new Set(ids).size < ids.length;
}
