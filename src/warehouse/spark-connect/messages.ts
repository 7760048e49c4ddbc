import { fromJSON, type MessageTypeDefinition, type ServiceDefinition } from '@grpc/proto-loader';

// The messages of Spark Connect that are used here, and of these the fields that are sent or read. The numbers are those of
// spark/connect/*.proto in the jar of Spark 4 (Apache License 2.0); a message keeps them for ever.

/** Names the session in every request. */
export interface SessionContext {
  readonly session_id: string;
  readonly user_context: { readonly user_id: string };
  readonly client_type: string;
  /** The session as the server has named it, so that a new one that has lost its settings is noticed. */
  readonly client_observed_server_side_session_id?: string;
}

/** A value of a statement's parameter. */
export interface Expression {
  readonly literal:
    | { readonly null: { readonly string: object } }
    | { readonly boolean: boolean }
    | { readonly integer: number }
    | { readonly long: number }
    | { readonly double: number }
    | { readonly string: string };
}

export interface ExecutePlanRequest extends SessionContext {
  readonly operation_id: string;
  readonly plan: {
    readonly root: {
      readonly common: object;
      readonly sql: {
        readonly query: string;
        readonly named_arguments: Readonly<Record<string, Expression>>;
      };
    };
  };
  readonly request_options: readonly { readonly reattach_options: { readonly reattachable: boolean } }[];
  readonly tags: readonly string[];
}

export interface ExecutePlanResponse {
  readonly response_id?: string;
  readonly arrow_batch?: ArrowBatch;
  readonly result_complete?: object;
  readonly execution_progress?: ExecutionProgress;
}

export interface ArrowBatch {
  readonly row_count?: number;
  /** A stream of Arrow with one batch. */
  readonly data?: Buffer;
  readonly start_offset?: number;
}

export interface ExecutionProgress {
  readonly stages?: readonly {
    readonly num_tasks?: number;
    readonly num_completed_tasks?: number;
  }[];
}

export interface ReattachExecuteRequest extends SessionContext {
  readonly operation_id: string;
  readonly last_response_id?: string;
}

export interface ReleaseExecuteRequest extends SessionContext {
  readonly operation_id: string;
  readonly release_all?: object;
  readonly release_until?: { readonly response_id: string };
}

export type InterruptRequest = SessionContext &
  (
    | { readonly interrupt_type: 'INTERRUPT_TYPE_OPERATION_ID'; readonly operation_id: string }
    | { readonly interrupt_type: 'INTERRUPT_TYPE_TAG'; readonly operation_tag: string }
  );

export interface ConfigRequest extends SessionContext {
  readonly operation: {
    readonly set: { readonly pairs: readonly { readonly key: string; readonly value: string }[] };
  };
}

/** The requests with one response. */
export interface UnaryMethods {
  readonly Config: {
    readonly request: ConfigRequest;
    readonly response: { readonly server_side_session_id?: string };
  };
  readonly Interrupt: {
    readonly request: InterruptRequest;
    readonly response: { readonly interrupted_ids?: readonly string[] };
  };
  readonly ReleaseExecute: { readonly request: ReleaseExecuteRequest; readonly response: object };
  readonly ReleaseSession: { readonly request: SessionContext; readonly response: object };
}

/** The requests with a stream of responses. */
export interface StreamMethods {
  readonly ExecutePlan: ExecutePlanRequest;
  readonly ReattachExecute: ReattachExecuteRequest;
}

/** What an error says beside its message. */
export interface ErrorStatus {
  readonly details?: readonly { readonly type_url?: string; readonly value?: Buffer }[];
}

export interface ErrorInfo {
  readonly metadata?: Readonly<Record<string, string>>;
}

type Field =
  | readonly [number: number, type: string]
  | readonly [number: number, type: string, 'repeated' | 'map'];

function message(fields: Readonly<Record<string, Field>>, nested: object = {}): object {
  const entries = Object.entries(fields).map(([name, [id, type, kind]]) => [
    name,
    {
      id,
      type,
      ...(kind === 'repeated' ? { rule: 'repeated' } : {}),
      ...(kind === 'map' ? { keyType: 'string' } : {}),
    },
  ]);
  return { fields: Object.fromEntries(entries), nested };
}

function method(name: string, responseStream = false) {
  const response = responseStream ? 'ExecutePlan' : name;
  return {
    requestType: `${name}Request`,
    responseType: `${response}Response`,
    responseStream,
    comment: '',
  };
}

const sessionFields = {
  session_id: [1, 'string'],
  user_context: [2, 'UserContext'],
} as const;

const sparkMessages = {
  UserContext: message({ user_id: [1, 'string'] }),
  Plan: message({ root: [1, 'Relation'] }),
  Relation: message({ common: [1, 'RelationCommon'], sql: [10, 'SQL'] }),
  RelationCommon: message({}),
  SQL: message({ query: [1, 'string'], named_arguments: [4, 'Expression', 'map'] }),
  Expression: message(
    { literal: [1, 'Literal'] },
    {
      Literal: message({
        null: [1, 'DataType'],
        boolean: [3, 'bool'],
        integer: [6, 'int32'],
        long: [7, 'int64'],
        double: [11, 'double'],
        string: [13, 'string'],
      }),
    },
  ),
  DataType: message({ string: [11, 'String'] }, { String: message({}) }),
  ExecutePlanRequest: message(
    {
      ...sessionFields,
      plan: [3, 'Plan'],
      client_type: [4, 'string'],
      request_options: [5, 'RequestOption', 'repeated'],
      operation_id: [6, 'string'],
      tags: [7, 'string', 'repeated'],
      client_observed_server_side_session_id: [8, 'string'],
    },
    { RequestOption: message({ reattach_options: [1, 'ReattachOptions'] }) },
  ),
  ReattachOptions: message({ reattachable: [1, 'bool'] }),
  ExecutePlanResponse: message(
    {
      arrow_batch: [2, 'ArrowBatch'],
      response_id: [13, 'string'],
      result_complete: [14, 'ResultComplete'],
      execution_progress: [18, 'ExecutionProgress'],
    },
    {
      ArrowBatch: message({ row_count: [1, 'int64'], data: [2, 'bytes'], start_offset: [3, 'int64'] }),
      ResultComplete: message({}),
      ExecutionProgress: message(
        { stages: [1, 'StageInfo', 'repeated'] },
        { StageInfo: message({ num_tasks: [2, 'int64'], num_completed_tasks: [3, 'int64'] }) },
      ),
    },
  ),
  ReattachExecuteRequest: message({
    ...sessionFields,
    operation_id: [3, 'string'],
    client_type: [4, 'string'],
    last_response_id: [5, 'string'],
    client_observed_server_side_session_id: [6, 'string'],
  }),
  ReleaseExecuteRequest: message(
    {
      ...sessionFields,
      operation_id: [3, 'string'],
      client_type: [4, 'string'],
      release_all: [5, 'ReleaseAll'],
      release_until: [6, 'ReleaseUntil'],
      client_observed_server_side_session_id: [7, 'string'],
    },
    { ReleaseAll: message({}), ReleaseUntil: message({ response_id: [1, 'string'] }) },
  ),
  ReleaseExecuteResponse: message({}),
  InterruptRequest: message(
    {
      ...sessionFields,
      client_type: [3, 'string'],
      interrupt_type: [4, 'InterruptType'],
      operation_tag: [5, 'string'],
      operation_id: [6, 'string'],
      client_observed_server_side_session_id: [7, 'string'],
    },
    {
      InterruptType: {
        values: { INTERRUPT_TYPE_UNSPECIFIED: 0, INTERRUPT_TYPE_TAG: 2, INTERRUPT_TYPE_OPERATION_ID: 3 },
      },
    },
  ),
  InterruptResponse: message({ interrupted_ids: [2, 'string', 'repeated'] }),
  KeyValue: message({ key: [1, 'string'], value: [2, 'string'] }),
  ConfigRequest: message(
    {
      ...sessionFields,
      operation: [3, 'Operation'],
      client_type: [4, 'string'],
      client_observed_server_side_session_id: [8, 'string'],
    },
    { Operation: message({ set: [1, 'Set'] }), Set: message({ pairs: [1, 'KeyValue', 'repeated'] }) },
  ),
  ConfigResponse: message({ server_side_session_id: [4, 'string'] }),
  ReleaseSessionRequest: message({ ...sessionFields, client_type: [3, 'string'] }),
  ReleaseSessionResponse: message({}),
  SparkConnectService: {
    methods: {
      ExecutePlan: method('ExecutePlan', true),
      ReattachExecute: method('ReattachExecute', true),
      ReleaseExecute: method('ReleaseExecute'),
      ReleaseSession: method('ReleaseSession'),
      Interrupt: method('Interrupt'),
      Config: method('Config'),
    },
  },
};

const errorMessages = {
  Status: message({ details: [3, 'Any', 'repeated'] }),
  Any: message({ type_url: [1, 'string'], value: [2, 'bytes'] }),
  ErrorInfo: message({ metadata: [3, 'string', 'map'] }),
};

const definitions = fromJSON(
  {
    nested: {
      spark: { nested: { connect: { nested: sparkMessages } } },
      google: { nested: { rpc: { nested: errorMessages } } },
    },
  },
  { keepCase: true, longs: Number, enums: String },
);

/** How the requests of each method are sent. */
export const service = definitions['spark.connect.SparkConnectService'] as ServiceDefinition;

export const errorStatus = definitions['google.rpc.Status'] as MessageTypeDefinition<object, ErrorStatus>;
export const errorInfo = definitions['google.rpc.ErrorInfo'] as MessageTypeDefinition<object, ErrorInfo>;
