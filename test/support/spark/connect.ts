import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { thrift } from '@databricks/sql';
import type { TTypeId } from '@databricks/sql/thrift/TCLIService_types.js';
import {
  type Client,
  type ClientReadableStream,
  credentials,
  loadPackageDefinition,
  type ServiceClientConstructor,
} from '@grpc/grpc-js';
import { loadSync, type PackageDefinition, type ServiceDefinition } from '@grpc/proto-loader';
import {
  type BoundParameter,
  DatabricksFault,
  type Engine,
  type Execution,
} from '../databricks/execution.ts';
import type { ResultPage, ResultSchema } from '../databricks/result.ts';

/** Where a Spark Connect server listens and says what it does, and the folder with the definition of its messages. */
export interface SparkServer {
  readonly address: string;
  /** Its status API. */
  readonly statusUrl: string;
  readonly protoFolder: string;
}

/** An answer to ExecutePlan, as far as it is read here. */
interface ExecuteResponse {
  readonly schema?: { readonly struct?: { readonly fields: readonly SparkField[] } } | null;
  readonly arrow_batch?: { readonly row_count: string; readonly data: Buffer } | null;
  readonly sql_command_result?: { readonly relation: object } | null;
  readonly metrics?: { readonly metrics: readonly SparkMetrics[] } | null;
}

interface SparkField {
  readonly name: string;
  readonly data_type: { readonly kind: string };
}

interface SparkMetrics {
  readonly name: string;
  readonly execution_metrics: Readonly<Record<string, { readonly name: string; readonly value: string }>>;
}

/** Spark as the engine, over Spark Connect. */
export interface SparkEngine extends Engine {
  /** The rows that scans have read since the last call, by Spark's own metrics. */
  takeScannedRows(): number;
}

/** The most rows of a batch, as large as answers of gRPC may be here. */
const MAX_MESSAGE_BYTES = 256_000_000;

/** Loads the whole definition of the messages, as the jar of Spark has it. */
function loadDefinition({ protoFolder }: SparkServer): PackageDefinition {
  return loadSync('spark/connect/base.proto', {
    ...{ includeDirs: [protoFolder, join(protoFolder, '..')], keepCase: true, longs: String, enums: String },
    ...{ oneofs: true },
  });
}

/** Counts the rows that scans have read, from the metrics in responses to statements. */
export function createScanCounter(spark: SparkServer) {
  const { ExecutePlan } = loadDefinition(spark)['spark.connect.SparkConnectService'] as ServiceDefinition;
  let scanned = 0;
  return {
    count(response: Buffer) {
      scanned += countScanned(ExecutePlan?.responseDeserialize(response) as ExecuteResponse);
    },
    take() {
      const rows = scanned;
      scanned = 0;
      return rows;
    },
  };
}

function countScanned({ metrics }: ExecuteResponse): number {
  return (metrics?.metrics ?? [])
    .filter(({ name }) => /^Scan |^BatchScan/.test(name))
    .reduce((sum, scan) => sum + Number(scan.execution_metrics.numOutputRows?.value ?? 0), 0);
}

export function openSparkEngine(spark: SparkServer): SparkEngine {
  const { address } = spark;
  const definition = loadDefinition(spark);
  // biome-ignore lint/suspicious/noExplicitAny: its shape is that of the definition.
  const { SparkConnectService } = (loadPackageDefinition(definition) as any).spark.connect as {
    SparkConnectService: ServiceClientConstructor;
  };
  const client = new SparkConnectService(address, credentials.createInsecure(), {
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  });
  const context = { session_id: randomUUID(), user_context: { user_id: 'test' }, client_type: 'blade-tests' };
  const running = new Set<Execution>();
  let scanned = 0;

  function call(plan: object, operationId: string): ClientReadableStream<ExecuteResponse> {
    // biome-ignore lint/suspicious/noExplicitAny: methods come from the definition.
    return (client as any).ExecutePlan({ ...context, operation_id: operationId, plan });
  }

  /** Runs commands at once; a query is only analysed. */
  async function prepare(sql: string, parameters: readonly BoundParameter[], id: string): Promise<object> {
    const named = Object.fromEntries(
      parameters.map((parameter) => [parameter.name, toExpression(parameter)]),
    );
    const input = { common: {}, sql: { query: toSparkNames(sql), named_arguments: named } };
    let relation: object | null = null;
    for await (const response of call({ command: { sql_command: { input } } }, id))
      relation = response.sql_command_result?.relation ?? relation;
    if (relation === null) throw new Error('Spark gave no result');
    return relation;
  }

  function execute(sql: string, parameters: readonly BoundParameter[]): Execution {
    const ids = [randomUUID(), randomUUID()] as const;
    const pages: ResultPage[] = [];
    let isCancelled = false;

    async function* readResponses(): AsyncGenerator<ExecuteResponse> {
      const relation = await prepare(sql, parameters, ids[0]);
      if (isCancelled) throw new Error('it was cancelled');
      yield* call({ root: relation }, ids[1]);
    }

    const responses = readResponses();
    let schema: Pick<ResultSchema, 'columns'> | null = null;
    let arrowSchema: Buffer | null = null;
    let isOver = false;

    /** Reads on until there is another page, and whatever else a result has. */
    async function advance(): Promise<void> {
      const next = await responses.next();
      isOver ||= next.done === true;
      if (next.done === true) return;
      const value: ExecuteResponse = next.value;
      scanned += countScanned(value);
      const fields = value.schema?.struct?.fields;
      const columns = fields?.map(({ name, data_type }) => ({ name, typeId: toTypeId(data_type.kind) }));
      if (value.arrow_batch) {
        const { head, batch } = splitBatch(value.arrow_batch.data);
        arrowSchema ??= head;
        const rowCount = Number(value.arrow_batch.row_count);
        if (rowCount > 0) pages.push(toPage(rowCount, batch));
      }
      if (columns !== undefined) schema = { columns };
    }

    const named = async (work: () => Promise<void>) => {
      try {
        await work();
      } catch (error) {
        throw toFault(error);
      }
    };

    const ready = named(async () => {
      while (!isOver && (schema === null || arrowSchema === null)) await advance();
    }).then(() => {
      // A command has no columns.
      return { columns: schema?.columns ?? [], arrowSchema: arrowSchema ?? Buffer.alloc(0) };
    });
    ready.catch(() => {});

    const execution: Execution = {
      ready,
      async next() {
        await ready;
        await named(async () => {
          while (!isOver && pages.length === 0) await advance();
        });
        const page = pages.shift() ?? null;
        if (page === null) running.delete(execution);
        return page;
      },
      async cancel() {
        isCancelled = true;
        running.delete(execution);
        await Promise.all(ids.map(interrupt));
      },
    };
    running.add(execution);
    return execution;
  }

  function interrupt(id: string): Promise<void> {
    return new Promise((resolve) => {
      // biome-ignore lint/suspicious/noExplicitAny: methods come from the definition.
      (client as any).Interrupt(
        { ...context, interrupt_type: 'INTERRUPT_TYPE_OPERATION_ID', operation_id: id },
        () => resolve(),
      );
    });
  }

  return {
    async run(sql) {
      const execution = execute(sql, []);
      for (let page = await execution.next(1); page !== null; page = await execution.next(1));
    },
    execute,
    takeScannedRows() {
      const rows = scanned;
      scanned = 0;
      return rows;
    },
    async close() {
      await Promise.all([...running].map((execution) => execution.cancel()));
      (client as Client).close();
    },
  };
}

/** Delta has its tables in the only catalog that a Spark session comes with. */
export function toSparkNames(sql: string): string {
  return sql.replace(/`blade`\./g, '`spark_catalog`.').replace(/\bblade\.(?=`?\w)/g, 'spark_catalog.');
}

/** Spark takes literals only. */
function toExpression({ type, value }: BoundParameter): object {
  const text = value?.stringValue;
  if (text === undefined) return { literal: { null: { string: {} } } };
  switch (type) {
    case 'INTEGER':
      return { literal: { integer: Number(text) } };
    case 'BIGINT':
      return { literal: { long: text } };
    case 'DOUBLE':
      return { literal: { double: Number(text) } };
    case 'BOOLEAN':
      return { literal: { boolean: text === 'TRUE' } };
    default:
      return { literal: { string: text } };
  }
}

/** The parts of a stream of Arrow that holds one batch: its schema, and the batch without the end of the stream. */
function splitBatch(stream: Buffer): { head: Buffer; batch: Buffer } {
  const length = PREFIX_BYTES + stream.readInt32LE(4);
  return { head: stream.subarray(0, length), batch: stream.subarray(length, -PREFIX_BYTES) };
}

/** Each message begins with a mark and its length, of four bytes each; a length of 0 ends the stream. */
const PREFIX_BYTES = 8;

function toPage(rowCount: number, batch: Buffer): ResultPage {
  return {
    rowCount,
    toBatch: () => batch,
    toFile: () => {
      throw new Error('Spark gives its results as Arrow only');
    },
    toColumns: () => {
      throw new Error('Spark gives its results as Arrow only');
    },
  };
}

function toTypeId(kind: string): TTypeId {
  const { TTypeId: ids } = thrift.TCLIService_types;
  const known: Readonly<Record<string, TTypeId>> = {
    ...{ boolean: ids.BOOLEAN_TYPE, byte: ids.TINYINT_TYPE, short: ids.SMALLINT_TYPE, integer: ids.INT_TYPE },
    ...{ long: ids.BIGINT_TYPE, float: ids.FLOAT_TYPE, double: ids.DOUBLE_TYPE, decimal: ids.DECIMAL_TYPE },
    ...{ date: ids.DATE_TYPE, timestamp: ids.TIMESTAMP_TYPE, timestamp_ntz: ids.TIMESTAMP_TYPE },
    ...{ binary: ids.BINARY_TYPE, array: ids.ARRAY_TYPE, map: ids.MAP_TYPE, struct: ids.STRUCT_TYPE },
  };
  return known[kind] ?? ids.STRING_TYPE;
}

function toFault(error: unknown): DatabricksFault {
  const message = String(error instanceof Error && 'details' in error ? error.details : error);
  return new DatabricksFault(message, /SQLSTATE: (\w{5})/.exec(message)?.[1] ?? 'XX000');
}
