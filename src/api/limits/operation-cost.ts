import { complexityFromQuery } from '@pothos/plugin-complexity';
import {
  type DocumentNode,
  type ExecutionArgs,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import { withFieldCosts } from './field-cost.ts';
import { tooLarge } from './limit-error.ts';
import type { DocumentLimits } from './settings.ts';

/** Refuses operations that are too deep, too broad or too expensive, before they are executed. */
export function limitOperationCost(schema: GraphQLSchema, limits: DocumentLimits): Plugin {
  const measureCost = createCostMeter(schema);

  /** Returns the size of an operation that may run; null if it may not. */
  function admit({ args, setResultAndStopExecution }: OperationPayload): OperationCost | null {
    const size = measureCost(args);
    const problem = size && findExcess(size, limits);
    if (!problem) return size;
    setResultAndStopExecution({ errors: [problem] });
    return null;
  }

  return {
    onExecute(payload) {
      const size = admit(payload);
      if (size === null) return undefined;
      return {
        onExecuteDone({ result, setResult }) {
          if (isAsyncIterable(result) || result.data === undefined) return;
          setResult({ ...result, extensions: { ...result.extensions, cost: size.cost } });
        },
      };
    },
    onSubscribe(payload) {
      admit(payload);
    },
  };
}

type Operation = Pick<ExecutionArgs, 'document' | 'operationName' | 'variableValues'>;

interface OperationPayload {
  readonly args: Operation;
  readonly setResultAndStopExecution: (result: { errors: GraphQLError[] }) => void;
}

/** The size of an operation. */
export interface OperationCost {
  readonly depth: number;
  readonly fields: number;
  readonly rootFields: number;
  readonly cost: number;
}

/**
 * Creates a function that measures operations against a schema.
 * @returns null for an operation that cannot be executed; the execution reports why.
 */
export function createCostMeter(original: GraphQLSchema): (operation: Operation) => OperationCost | null {
  const schema = withFieldCosts(original);
  return (operation) => measureIn(schema, operation);
}

function measureIn(
  schema: GraphQLSchema,
  { document, operationName, variableValues }: Operation,
): OperationCost | null {
  const operation = getOperationAST(document, operationName);
  if (!operation) return null;
  const fragments = toFragments(document);
  try {
    const { depth, breadth, complexity } = complexityFromQuery(
      { kind: Kind.DOCUMENT, definitions: [operation, ...Object.values(fragments)] },
      { schema, variables: variableValues ?? {} },
    );
    const rootFields = countRootFields(operation.selectionSet, fragments);
    return { depth, fields: breadth, rootFields, cost: complexity };
  } catch (error) {
    // A variable lacks a valid value.
    if (error instanceof GraphQLError) return null;
    throw error;
  }
}

function findExcess(
  { depth, fields, rootFields, cost }: OperationCost,
  limits: DocumentLimits,
): GraphQLError | null {
  if (depth > limits.maxDepth)
    return tooLarge(
      'OPERATION_TOO_DEEP',
      `The operation is ${depth} fields deep; at most ${limits.maxDepth} are allowed.`,
    );
  if (fields > limits.maxFields)
    return tooLarge(
      'OPERATION_TOO_BROAD',
      `The operation selects ${fields} fields; at most ${limits.maxFields} are allowed.`,
    );
  if (rootFields > limits.maxRootFields)
    return tooLarge(
      'OPERATION_TOO_BROAD',
      `The operation has ${rootFields} root fields; at most ${limits.maxRootFields} are allowed.`,
    );
  if (cost > limits.maxCost)
    return tooLarge(
      'OPERATION_TOO_EXPENSIVE',
      `The operation may cost ${cost}; at most ${limits.maxCost} is allowed. Ask for smaller pages or fewer fields.`,
      { cost, maxCost: limits.maxCost },
    );
  return null;
}

type Fragments = Readonly<Record<string, FragmentDefinitionNode>>;

function toFragments({ definitions }: DocumentNode): Record<string, FragmentDefinitionNode> {
  return Object.fromEntries(
    definitions.flatMap((definition) =>
      definition.kind === Kind.FRAGMENT_DEFINITION ? [[definition.name.value, definition]] : [],
    ),
  );
}

/** Counts root fields, including those in fragments; validation has ruled out fragment cycles. */
function countRootFields({ selections }: SelectionSetNode, fragments: Fragments): number {
  let count = 0;
  for (const selection of selections) {
    if (selection.kind === Kind.FIELD) count += 1;
    else if (selection.kind === Kind.INLINE_FRAGMENT)
      count += countRootFields(selection.selectionSet, fragments);
    else {
      const fragment = fragments[selection.name.value];
      if (fragment !== undefined) count += countRootFields(fragment.selectionSet, fragments);
    }
  }
  return count;
}
