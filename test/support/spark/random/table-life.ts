import type { Chance } from '../../chance.ts';
import type { SparkEngine } from '../connect.ts';
import { selectRows } from '../select-rows.ts';
import { chooseStatements } from './statements.ts';
import { createVersion, type TableVersion } from './table-version.ts';

/** A Delta table that changes at random, and what Spark says each of its versions holds. */
export interface TableLife {
  readonly name: string;
  /** Every version so far, in the order of their commits: a table that is created again counts from 0. */
  readonly versions: readonly TableVersion[];
  readonly statements: readonly string[];
  /** Whether the rows of an id have been these in any version. */
  hasHeld(id: string | null, content: string): boolean;
  /** Runs the next statement, and remembers what it left. */
  step(): Promise<void>;
}

export interface LifeOptions {
  readonly engine: SparkEngine;
  readonly chance: Chance;
  readonly name: string;
  /** What the ids of its rows begin with. */
  readonly prefix: string;
  /** Whether its change feed is switched on and off. */
  readonly togglesFeed: boolean;
  readonly rows: number;
}

export async function startTableLife(options: LifeOptions): Promise<TableLife> {
  const { engine, chance, name } = options;
  const fullName = `spark_catalog.field.${name}`;
  const versions: TableVersion[] = [];
  const statements: string[] = [];
  const held = new Set<string>();
  let clock = START;
  let nextRow = options.rows;
  let oldestReadable = 0;
  let hasFeed = false;

  async function run(statement: string): Promise<void> {
    try {
      await engine.run(statement);
      statements.push(statement);
    } catch (error) {
      // Such as RESTORE to what was vacuumed.
      statements.push(`${statement} -- refused: ${String(error).slice(0, 120)}`);
    }
  }

  /** Remembers the versions that were committed since. */
  async function remember(): Promise<void> {
    const history = await selectRows(engine, `DESCRIBE HISTORY ${fullName} LIMIT 10`);
    const last = versions.at(-1)?.committedAt.getTime() ?? 0;
    const found = history.map(({ version, timestamp, operation }) => ({
      operation,
      number: Number(version),
      committedAt: new Date(Number(timestamp)),
    }));
    for (const { number, committedAt, operation } of found.reverse()) {
      if (committedAt.getTime() <= last) continue;
      const rows = await selectRows(
        engine,
        `SELECT to_json(struct(*), map('ignoreNullFields', 'false')) AS json FROM ${fullName} VERSION AS OF ${number}`,
      );
      if (versions.length === 0 || FEED_CHANGES.test(String(operation))) hasFeed = await readFeed();
      const version = createVersion({
        ...{ number, committedAt, hasFeed },
        rows: rows.map(({ json }) => JSON.parse(String(json))),
      });
      for (const { id, content } of version.rows) held.add(`${id} ${content}`);
      versions.push(version);
    }
  }

  async function readFeed(): Promise<boolean> {
    const [feed] = await selectRows(engine, `SHOW TBLPROPERTIES ${fullName} ('delta.enableChangeDataFeed')`);
    return feed?.value === 'true';
  }

  await engine.run('CREATE DATABASE IF NOT EXISTS spark_catalog.field');
  await engine.run(`DROP TABLE IF EXISTS ${fullName}`);
  const context = {
    ...{ table: fullName, prefix: options.prefix, rows: options.rows, togglesFeed: options.togglesFeed },
    tick: () => {
      clock += 1 + chance.below(60);
      return clock;
    },
    /** Takes this many new numbers for rows. */
    take: (count: number) => {
      nextRow += count;
      return nextRow - count;
    },
    chance,
  };
  for (const statement of chooseStatements(context, 'CREATE', null)) await engine.run(statement);
  await remember();
  return {
    name,
    versions,
    statements,
    hasHeld: (id, content) => held.has(`${id} ${content}`),
    async step() {
      const latest = versions.at(-1);
      if (latest === undefined) throw new Error('the table has a version');
      const chosen = chooseStatements(context, null, { ...latest, oldestReadable });
      for (const statement of chosen) {
        await run(statement);
        if (statement.startsWith('VACUUM')) oldestReadable = latest.number;
        if (/^(?:CREATE TABLE|DROP)/.test(statement)) oldestReadable = 0;
        if (!statement.startsWith('DROP TABLE')) await remember();
      }
    },
  };
}

/** Operations after which a table may have another property. */
const FEED_CHANGES = /TBLPROPERTIES|CREATE|REPLACE|RESTORE/;

/** Seconds since 1970. */
const START = Date.UTC(2026, 0, 1) / 1_000;
