import { Client, type PoolClient } from 'pg';
import type { TestDatabase } from './test-database.ts';

/** Statements as they went to the database, in order. */
export interface SentStatements {
  /** Forgets what it has, runs the work and gives the statements that were sent meanwhile. */
  during(work: () => Promise<void>): Promise<readonly SentStatement[]>;
  stop(): void;
}

export interface SentStatement {
  readonly text: string;
  readonly values: readonly unknown[];
  /** Those of one connection follow each other. */
  readonly client: object;
}

/** Records what the program in this process sends by the driver, and sends it all the same. */
export function recordSentStatements(): SentStatements {
  let sent: SentStatement[] = [];
  const { query } = Client.prototype;
  function recordQuery(this: Client, ...parameters: unknown[]): unknown {
    const [config, given] = parameters;
    if (typeof config === 'string')
      sent.push({ text: config, values: Array.isArray(given) ? given : [], client: this });
    else if (isStatement(config)) sent.push({ text: config.text, values: config.values ?? [], client: this });
    return Reflect.apply(query, this, parameters);
  }
  Object.assign(Client.prototype, { query: recordQuery });
  return {
    async during(work) {
      sent = [];
      await work();
      return sent;
    },
    stop() {
      Object.assign(Client.prototype, { query });
    },
  };
}

function isStatement(config: unknown): config is { text: string; values?: readonly unknown[] } {
  return typeof config === 'object' && config !== null && 'text' in config && typeof config.text === 'string';
}

/** What a statement read of the tables of lists. */
export interface StatementReads {
  readonly text: string;
  /** Rows that its scans gave, or looked at and left out. */
  readonly rows: number;
  /** Pages of tables and indexes: an index that is read past much shows in these alone. */
  readonly blocks: number;
  /** The scans, as in `Index Scan blade_item`. */
  readonly scans: readonly string[];
}

/** Runs the statements again, the settings of their transactions included, and tells what they read. */
export async function explainStatements(
  { pool }: TestDatabase,
  statements: readonly SentStatement[],
): Promise<readonly StatementReads[]> {
  const reads: StatementReads[] = [];
  for (const ofClient of Map.groupBy(statements, ({ client }) => client).values()) {
    const client = await pool.connect();
    try {
      for (const statement of ofClient) {
        if (/^(begin|commit)$/i.test(statement.text) || statement.text.includes('set_config'))
          await client.query(statement.text, [...statement.values]);
        else if (/^\s*(select|with|\()/i.test(statement.text)) reads.push(await explain(client, statement));
      }
    } finally {
      client.release();
    }
  }
  return reads;
}

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
  readonly Plans?: readonly Plan[];
}

async function explain(client: PoolClient, { text, values }: SentStatement): Promise<StatementReads> {
  const { rows } = await client.query<{ 'QUERY PLAN': readonly [{ Plan: Plan }] }>(
    `explain (analyze, buffers, timing off, format json) ${text}`,
    [...values],
  );
  const [row] = rows;
  if (row === undefined) throw new Error(`there is no plan of ${text}`);
  const [{ Plan: top }] = row['QUERY PLAN'];
  const scans = listScans(top);
  return {
    text,
    rows: scans.reduce((sum, scan) => sum + countScannedRows(scan), 0),
    blocks: top['Shared Hit Blocks'] + top['Shared Read Blocks'],
    scans: scans.map((scan) => `${scan['Node Type']} ${scan['Relation Name'] ?? ''}`),
  };
}

/** The scans of a plan that ran, from top to bottom. */
function listScans(plan: Plan): Plan[] {
  const below = (plan.Plans ?? []).flatMap(listScans);
  return plan['Relation Name'] !== undefined && plan['Actual Loops'] > 0 ? [plan, ...below] : below;
}

function countScannedRows(scan: Plan): number {
  const ofLoop =
    scan['Actual Rows'] +
    (scan['Rows Removed by Filter'] ?? 0) +
    (scan['Rows Removed by Index Recheck'] ?? 0);
  return ofLoop * scan['Actual Loops'];
}
