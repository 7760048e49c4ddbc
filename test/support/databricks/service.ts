import { randomUUID } from 'node:crypto';
import { thrift } from '@databricks/sql';
import type {
  TCancelOperationReq,
  TCloseOperationReq,
  TCloseSessionReq,
  TExecuteStatementReq,
  TFetchResultsReq,
  TFetchResultsResp,
  TGetOperationStatusReq,
  TGetResultSetMetadataReq,
  TOperationHandle,
  TRowSet,
} from '@databricks/sql/thrift/TCLIService_types.js';
import { compressFrameSync } from 'lz4-napi';
import { type BoundParameter, DatabricksFault, type Engine, type Execution } from './execution.ts';
import type { ResultPage, ResultSchema } from './result.ts';
import { type Handlers, int64 } from './thrift-library.ts';

const types = thrift.TCLIService_types;
const { TOperationState: State, TStatusCode: Code, TSparkRowSetType: Form } = types;

/** How results come: in the answers as Arrow or as columns, or as links to files of Arrow. */
export type ResultForm = 'arrow' | 'columns' | 'links';

export interface ServiceOptions {
  readonly engine: Engine;
  readonly form: ResultForm;
  /** Rows in a page at most, whatever was asked for. */
  readonly pageRows: number;
  /** How long an answer waits for a statement to finish, in milliseconds. */
  readonly directMs: number;
  /** Keeps a file and gives its address. */
  readonly storeFile: (file: Buffer) => string;
  /** Changes a page before it is sent. */
  readonly alter?: ((page: TRowSet) => void) | undefined;
}

/** The operations of a SQL warehouse that a read needs, on an engine of the test's own. */
export interface Service {
  readonly handlers: Handlers;
  readonly statements: {
    readonly sql: string;
    /** The comment at its end, which names the job; null for none. */
    readonly tag: string | null;
    readonly parameters: readonly BoundParameter[];
  }[];
  /** Ends every session, as a warehouse does with those that nobody used for long. */
  expireSessions(): void;
  /** Makes statements that come from now on wait, as they do while a warehouse starts, until they are released. */
  hold(): () => void;
}

interface Operation {
  readonly execution: Execution;
  readonly form: ResultForm;
  readonly compresses: boolean;
  state: number;
  fault: DatabricksFault | null;
  schema: ResultSchema;
  offset: number;
}

export function createService(options: ServiceOptions): Service {
  const sessions = new Set<string>();
  const operations = new Map<string, Operation>();
  const statements: Service['statements'] = [];
  let held: Promise<void> | null = null;

  function find(handle: TOperationHandle): Operation | undefined {
    return operations.get(formatKey(handle.operationId.guid));
  }

  function formFor(request: TExecuteStatementReq): ResultForm {
    if (request.canReadArrowResult !== true) return 'columns';
    return options.form === 'links' && request.canDownloadResult !== true ? 'arrow' : options.form;
  }

  async function run(operation: Operation): Promise<void> {
    await held;
    if (operation.state !== State.PENDING_STATE) return;
    operation.state = State.RUNNING_STATE;
    try {
      operation.schema = await operation.execution.ready;
      if (operation.state === State.RUNNING_STATE) operation.state = State.FINISHED_STATE;
    } catch (error) {
      if (operation.state !== State.RUNNING_STATE) return;
      operation.state = State.ERROR_STATE;
      operation.fault =
        error instanceof DatabricksFault ? error : new DatabricksFault(String(error), 'XX000');
    }
  }

  async function fetch(operation: Operation, maxRows: number): Promise<TFetchResultsResp> {
    const page = await operation.execution.next(Math.min(maxRows, options.pageRows));
    const startRowOffset = int64(operation.offset);
    const rowCount = page?.rowCount ?? 0;
    operation.offset += rowCount;
    const results = new types.TRowSet({
      startRowOffset: startRowOffset as never,
      rows: [],
      ...(page === null ? { arrowBatches: [] } : createParts(operation, page, startRowOffset, rowCount)),
    });
    options.alter?.(results);
    return new types.TFetchResultsResp({ status: success(), hasMoreRows: page !== null, results });
  }

  function createParts(
    { form, compresses }: Operation,
    page: ResultPage,
    startRowOffset: number,
    rowCount: number,
  ) {
    if (form === 'columns') return { columns: page.toColumns() };
    if (form === 'arrow') {
      const batch = page.toBatch();
      return {
        arrowBatches: [
          new types.TSparkArrowBatch({
            batch: compresses ? compressFrameSync(batch) : batch,
            rowCount: int64(rowCount) as never,
          }),
        ],
      };
    }
    const file = page.toFile();
    return {
      resultLinks: [
        new types.TSparkArrowResultLink({
          fileLink: options.storeFile(file),
          expiryTime: int64(Date.now() + 60_000) as never,
          startRowOffset: startRowOffset as never,
          rowCount: int64(rowCount) as never,
          bytesNum: int64(file.length) as never,
        }),
      ],
    };
  }

  function createMetadata({ schema: { columns, arrowSchema }, form, compresses }: Operation) {
    return new types.TGetResultSetMetadataResp({
      status: success(),
      schema: new types.TTableSchema({
        columns: columns.map(
          ({ name, typeId }, index) =>
            new types.TColumnDesc({
              columnName: name,
              position: index + 1,
              typeDesc: new types.TTypeDesc({
                types: [
                  new types.TTypeEntry({
                    primitiveEntry: new types.TPrimitiveTypeEntry({ type: typeId }),
                  }),
                ],
              }),
            }),
        ),
      }),
      resultFormat: {
        arrow: Form.ARROW_BASED_SET,
        columns: Form.COLUMN_BASED_SET,
        links: Form.URL_BASED_SET,
      }[form],
      lz4Compressed: form === 'arrow' && compresses,
      ...(form === 'columns' ? {} : { arrowSchema }),
    });
  }

  function createStatus(operation: Operation) {
    const { state, fault } = operation;
    return new types.TGetOperationStatusResp({
      status: success(),
      operationState: state,
      hasResultSet: true,
      ...(fault === null
        ? {}
        : { errorMessage: fault.message, displayMessage: fault.message, sqlState: fault.sqlState }),
    });
  }

  const handlers = {
    async OpenSession(_request: unknown) {
      const id = randomUUID();
      sessions.add(id);
      return new types.TOpenSessionResp({
        status: success(),
        serverProtocolVersion: types.TProtocolVersion.SPARK_CLI_SERVICE_PROTOCOL_V8,
        sessionHandle: new types.TSessionHandle({ sessionId: createIdentifier(id) }),
      });
    },

    async ExecuteStatement(request: TExecuteStatementReq) {
      const session = formatKey(request.sessionHandle.sessionId.guid);
      if (!sessions.has(session))
        return new types.TExecuteStatementResp({
          status: failure(Code.INVALID_HANDLE_STATUS, `Invalid SessionHandle: SessionHandle [${session}]`),
        });
      const parameters = (request.parameters ?? []) as readonly BoundParameter[];
      const { sql, tag } = splitTag(request.statement);
      statements.push({ sql, tag, parameters });
      const id = randomUUID();
      const operation: Operation = {
        execution: options.engine.execute(request.statement, parameters),
        form: formFor(request),
        compresses: request.canDecompressLZ4Result === true,
        state: State.PENDING_STATE,
        fault: null,
        schema: NO_COLUMNS,
        offset: 0,
      };
      operations.set(id, operation);
      const running = run(operation);
      const maxRows = request.getDirectResults?.maxRows;
      if (held === null) await Promise.race([running, elapsed(options.directMs)]);
      const isFinished = operation.state === State.FINISHED_STATE && maxRows !== undefined;
      return new types.TExecuteStatementResp({
        status: success(),
        operationHandle: new types.TOperationHandle({
          operationId: createIdentifier(id),
          operationType: types.TOperationType.EXECUTE_STATEMENT,
          hasResultSet: true,
        }),
        directResults: new types.TSparkDirectResults({
          operationStatus: createStatus(operation),
          ...(isFinished
            ? {
                resultSetMetadata: createMetadata(operation),
                resultSet: await fetch(operation, Number(maxRows)),
              }
            : {}),
        }),
      });
    },

    async GetOperationStatus({ operationHandle }: TGetOperationStatusReq) {
      const operation = find(operationHandle);
      return operation === undefined
        ? new types.TGetOperationStatusResp({ status: invalidOperation() })
        : createStatus(operation);
    },

    async GetResultSetMetadata({ operationHandle }: TGetResultSetMetadataReq) {
      const operation = find(operationHandle);
      return operation === undefined
        ? new types.TGetResultSetMetadataResp({ status: invalidOperation() })
        : createMetadata(operation);
    },

    async FetchResults({ operationHandle, maxRows }: TFetchResultsReq) {
      const operation = find(operationHandle);
      if (operation === undefined || operation.state !== State.FINISHED_STATE)
        return new types.TFetchResultsResp({ status: invalidOperation() });
      return await fetch(operation, Number(maxRows)).catch((error: unknown) => {
        if (!(error instanceof DatabricksFault)) throw error;
        return new types.TFetchResultsResp({ status: failure(Code.ERROR_STATUS, error.message) });
      });
    },

    async CancelOperation({ operationHandle }: TCancelOperationReq) {
      const operation = find(operationHandle);
      if (operation !== undefined) {
        operation.state = State.CANCELED_STATE;
        operation.execution.cancel();
      }
      return new types.TCancelOperationResp({ status: operation ? success() : invalidOperation() });
    },

    async CloseOperation({ operationHandle }: TCloseOperationReq) {
      const isKnown = operations.delete(formatKey(operationHandle.operationId.guid));
      return new types.TCloseOperationResp({ status: isKnown ? success() : invalidOperation() });
    },

    async CloseSession({ sessionHandle }: TCloseSessionReq) {
      const isKnown = sessions.delete(formatKey(sessionHandle.sessionId.guid));
      return new types.TCloseSessionResp({ status: isKnown ? success() : invalidOperation() });
    },
  };

  return {
    handlers,
    statements,
    expireSessions: () => {
      sessions.clear();
      operations.clear();
    },
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      return () => {
        held = null;
        resolve();
      };
    },
  };
}

const NO_COLUMNS: ResultSchema = { columns: [], arrowSchema: Buffer.alloc(0) };

function success() {
  return new types.TStatus({ statusCode: Code.SUCCESS_STATUS });
}

function failure(statusCode: number, errorMessage: string) {
  return new types.TStatus({ statusCode, errorMessage });
}

function invalidOperation() {
  return failure(Code.INVALID_HANDLE_STATUS, 'Invalid OperationHandle');
}

/** The driver takes a handle only where its bytes are those of a UUID. */
function createIdentifier(id: string) {
  const guid = Buffer.from(id.replaceAll('-', ''), 'hex');
  return new types.THandleIdentifier({ guid, secret: Buffer.alloc(16) });
}

function formatKey(guid: Buffer): string {
  return guid.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function elapsed(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}

/** Splits the comment that names the job off a statement. */
function splitTag(statement: string): { sql: string; tag: string | null } {
  const [, sql, tag] = /^(.*)\n\/\* (.*) \*\/$/s.exec(statement) ?? [];
  return sql === undefined || tag === undefined ? { sql: statement, tag: null } : { sql, tag };
}
