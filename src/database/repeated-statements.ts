import { Client, type QueryConfig, type QueryResult } from 'pg';

/**
 * Lets a connection prepare the statements that this thread repeats: parsing and planning one of them often takes the server
 * longer than running it. Pages of lists and large batches are planned by their values every time. Not for PGlite, whose clients
 * share one session and so its names.
 * @param smallPlanMode the `plan_cache_mode` of the session, which large batches change for as long as they come.
 */
export function prepareRepeatedStatements(client: Client, smallPlanMode: string): void {
  const query = (...given: readonly unknown[]): Promise<QueryResult> =>
    Reflect.apply(Client.prototype.query, client, given);
  let plansByValues = false;
  let mayBeTakenBack = false;
  let smallInTurn = 0;

  /** Tells the session before a statement whether it has to be planned by its values. */
  function choosePlan(isByValues: boolean): void {
    smallInTurn = isByValues ? 0 : smallInTurn + 1;
    const byValues = isByValues || (plansByValues && smallInTurn < SMALL_BEFORE);
    const isInTransaction = client.getTransactionStatus() !== 'I';
    if (byValues === plansByValues && (isInTransaction || !mayBeTakenBack)) return;
    plansByValues = byValues;
    // A rollback takes it back.
    mayBeTakenBack = isInTransaction;
    // The next statement waits for it. In a failed transaction it fails, and so does that.
    query(`set plan_cache_mode to ${byValues ? 'force_custom_plan' : smallPlanMode}`).catch(() => {});
  }

  async function runPrepared(statement: QueryConfig): Promise<QueryResult> {
    try {
      return await query(statement);
    } catch (error) {
      // Another process has changed a table, for example by a migration: the session never plans this name again.
      if (isStalePlan(error)) renewNames();
      throw error;
    }
  }

  const prepared = (config: QueryConfig | string, values?: unknown, callback?: unknown): unknown => {
    const statement = toNamed(config, values);
    const isByValues = isPlannedByValues(config, values);
    // A forced mode also holds for statements that are not prepared.
    if (statement !== null || (isByValues && smallPlanMode === 'force_generic_plan')) choosePlan(isByValues);
    if (statement === null) return query(config, values, callback);
    const report = typeof values === 'function' ? values : callback;
    const result = runPrepared(statement);
    if (typeof report !== 'function') return result;
    result.then(
      (rows) => report(null, rows),
      (error: unknown) => report(error),
    );
    return undefined;
  };
  client.query = prepared as Client['query'];
}

/** Names a statement that is repeated; null for others. */
function toNamed(config: QueryConfig | string, values: unknown): QueryConfig | null {
  const { text, ...others }: QueryConfig = typeof config === 'string' ? { text: config } : config;
  if (typeof text !== 'string' || 'submit' in others || others.name !== undefined) return null;
  if (!PREPARABLE.test(text) || PAGE.test(text)) return null;
  const name = findName(text);
  if (name === null) return null;
  return { ...others, text, name, ...(Array.isArray(values) ? { values } : {}) };
}

/** How to find a page best depends on how many rows its conditions leave, so it is planned by its values. */
const PAGE = /\blimit\s+\$\d/i;

/** What can be prepared, and is worth it unless it is a page. Several statements at once cannot. */
const PREPARABLE = /^\s*(?:with|select|insert|update|delete)\b[^;]*$/i;

/** Whether a plan for any values would be worse for a statement than one for its own. */
function isPlannedByValues(config: QueryConfig | string, values: unknown): boolean {
  const { text, values: own = [] } = typeof config === 'string' ? { text: config } : config;
  return PAGE.test(String(text)) || isLarge(Array.isArray(values) ? values : own);
}

/** Whether the values are of so many rows that a plan for any number of them would be worse. */
function isLarge(values: readonly unknown[]): boolean {
  return values.some((value) =>
    Buffer.isBuffer(value) ? value.length > LARGE_BYTES : Array.isArray(value) && value.length > LARGE_LENGTH,
  );
}

/** Whether a prepared statement would now return other columns than when it was prepared. */
function isStalePlan(error: unknown): boolean {
  return error instanceof Error && 'routine' in error && error.routine === 'RevalidateCachedQuery';
}

/** The names of repeated statements, or how often others have been run, by their texts. */
const statements = new Map<string, string | number>();
let named = 0;
let generation = 0;

function findName(text: string): string | null {
  const known = statements.get(text) ?? 0;
  if (typeof known === 'string') return known;
  if (named === MAX_NAMES) return null;
  if (known < RUNS_BEFORE) {
    if (statements.size >= MAX_TEXTS) forgetUnnamed();
    statements.set(text, known + 1);
    return null;
  }
  const name = `blade_${generation}_${++named}`;
  statements.set(text, name);
  return name;
}

function forgetUnnamed(): void {
  for (const [text, known] of statements) if (typeof known === 'number') statements.delete(text);
}

function renewNames(): void {
  statements.clear();
  named = 0;
  generation++;
}

/** How often a statement is run before it is prepared: much of what people search for is never repeated. */
const RUNS_BEFORE = 3;

/** The size of an array in PostgreSQL's binary format, and the length of another, from which a batch is large. */
const LARGE_BYTES = 64 * 1024;
const LARGE_LENGTH = 200;

/** How many small statements in turn show that a large table has been read. */
const SMALL_BEFORE = 10;

/** How many statements are prepared: each session keeps their plans. */
const MAX_NAMES = 150;

/** How many texts are known. */
const MAX_TEXTS = 1_000;
