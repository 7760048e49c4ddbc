import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { PrismaPg } from '@prisma/adapter-pg';
import {
  bindMigrationAwareSqlAdapterFactory,
  type ColumnType,
  ColumnTypeEnum,
  isDriverAdapterError,
  type SqlDriverAdapter,
  type SqlQuery,
  type SqlResultSet,
} from '@prisma/driver-adapter-utils';
import type { SchemaEngine } from '@prisma/schema-engine-wasm/schema_engine_bg';
import { type Pool, types } from 'pg';
import { createPool } from '../connection.ts';

/**
 * Runs work on Prisma's schema engine in WebAssembly, so that nothing is downloaded and no binary has to fit the machine.
 * @param options.connectionString the database to work on.
 * @param options.throwAway whether the engine may empty that database and replay migrations in it.
 * @param use receives the engine; its errors carry Prisma's messages.
 * @returns the result of `use`, after the engine's connections are closed.
 */
export async function withSchemaEngine<T>(
  options: { connectionString: string; throwAway: boolean },
  use: (engine: SchemaEngine) => Promise<T>,
): Promise<T> {
  const { SchemaEngine } = await loadEngineModule();
  const pool = createPool(options.connectionString, { max: 2 });
  const connect = () => connectAdapter(pool);
  const adapterFactory = bindMigrationAwareSqlAdapterFactory({
    provider: 'postgres',
    adapterName: '@prisma/adapter-pg',
    connect,
    connectToShadowDb() {
      if (options.throwAway) return connect();
      throw new Error('Migrations are replayed only in a database that is thrown away');
    },
  });
  try {
    const engine = await SchemaEngine.new({ datamodels: undefined }, () => undefined, adapterFactory);
    try {
      return await use(engine);
    } finally {
      engine.free();
    }
  } finally {
    await pool.end();
  }
}

/** Connects the client's adapter, completed for the engine. */
async function connectAdapter(pool: Pool): Promise<SqlDriverAdapter> {
  const adapter = await new PrismaPg(pool).connect();
  const queryRaw = adapter.queryRaw.bind(adapter);
  return Object.assign(adapter, {
    // Sent whole, so that each script is one transaction. The adapter would split it at every semicolon, even in a function.
    async executeScript(script: string) {
      await adapter.executeRaw({ sql: script, args: [], argTypes: [] });
    },
    async queryRaw(query: SqlQuery) {
      try {
        return await queryRaw(query);
      } catch (error) {
        if (!isUnsupportedType(error)) throw error;
        return await queryCatalog(pool, query);
      }
    },
  });
}

function isUnsupportedType(error: unknown): boolean {
  return isDriverAdapterError(error) && error.cause.kind === 'UnsupportedNativeDataType';
}

/** Queries PostgreSQL's catalogs, which have types that the adapter does not know. */
async function queryCatalog(pool: Pool, query: SqlQuery): Promise<SqlResultSet> {
  const { fields, rows } = await pool.query({ text: query.sql, values: query.args, rowMode: 'array' });
  return {
    columnNames: fields.map((field) => field.name),
    columnTypes: fields.map((field) => CATALOG_TYPES.get(field.dataTypeID) ?? ColumnTypeEnum.Text),
    rows,
  };
}

const { BOOL, CHAR, INT2, INT4, INT8, OID } = types.builtins;
const TEXT_ARRAY = 1009;
const CATALOG_TYPES = new Map<number, ColumnType>([
  [BOOL, ColumnTypeEnum.Boolean],
  [CHAR, ColumnTypeEnum.Character],
  [INT2, ColumnTypeEnum.Int32],
  [INT4, ColumnTypeEnum.Int32],
  [INT8, ColumnTypeEnum.Int64],
  [OID, ColumnTypeEnum.Int64],
  [TEXT_ARRAY, ColumnTypeEnum.TextArray],
]);

type EngineModule = typeof import('@prisma/schema-engine-wasm/schema_engine_bg');

// TypeScript declares WebAssembly only for browsers.
declare const WebAssembly: {
  instantiate(
    code: Uint8Array,
    imports: Record<string, object>,
  ): Promise<{ instance: { exports: Record<string, unknown> } }>;
};

/** Where the process keeps its instance, even if this module is loaded again, as vitest does for each file. */
const INSTANCE = Symbol.for(`schema engine of ${import.meta.url}`);

const processWide: typeof globalThis & { [INSTANCE]?: Promise<EngineModule> } = globalThis;

function loadEngineModule(): Promise<EngineModule> {
  // The bindings know one instance: a second would receive what the first has yet to free.
  processWide[INSTANCE] ??= instantiateEngine();
  return processWide[INSTANCE];
}

async function instantiateEngine(): Promise<EngineModule> {
  const bindings: EngineModule = await import('@prisma/schema-engine-wasm/schema_engine_bg');
  const bindingsPath = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const code = await readFile(new URL('schema_engine_bg.wasm', pathToFileURL(bindingsPath)));
  const { instance } = await WebAssembly.instantiate(code, { './schema_engine_bg.js': bindings });
  bindings.__wbg_set_wasm(instance.exports);
  const start = instance.exports.__wbindgen_start;
  if (typeof start !== 'function')
    throw new Error('The schema engine does not start: its version is not the expected one');
  start();
  return bindings;
}
