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
import type { Plugin } from 'graphql-yoga';
import { withFieldCosts } from './field-cost.ts';
import { tooLarge } from './limit-error.ts';
import type { DocumentLimits } from './settings.ts';

/** Refuses operations that are too deep, too broad or too expensive, before anything of them is looked up. */
export function limitOperationCost(schema: GraphQLSchema, limits: DocumentLimits): Plugin {
  const costOf = createCostOf(schema);

  function stopAtProblem({ args, setResultAndStopExecution }: OperationPayload): void {
    const cost = costOf(args);
    const problem = cost && problemOf(cost, limits);
    if (problem) setResultAndStopExecution({ errors: [problem] });
  }

  return { onExecute: stopAtProblem, onSubscribe: stopAtProblem };
}

type Operation = Pick<ExecutionArgs, 'document' | 'operationName' | 'variableValues'>;

interface OperationPayload {
  readonly args: Operation;
  readonly setResultAndStopExecution: (result: { errors: GraphQLError[] }) => void;
}

/** What one operation asks for. */
export interface OperationCost {
  readonly depth: number;
  readonly fields: number;
  readonly rootFields: number;
  readonly cost: number;
}

/**
 * Makes what tells what an operation asks for.
 * @returns a function that gives null for what cannot be executed: that is told where it would be.
 */
export function createCostOf(original: GraphQLSchema): (operation: Operation) => OperationCost | null {
  const schema = withFieldCosts(original);
  return (operation) => costIn(schema, operation);
}

function costIn(
  schema: GraphQLSchema,
  { document, operationName, variableValues }: Operation,
): OperationCost | null {
  const operation = getOperationAST(document, operationName);
  if (!operation) return null;
  const fragments = fragmentsOf(document);
  try {
    const { depth, breadth, complexity } = complexityFromQuery(
      { kind: Kind.DOCUMENT, definitions: [operation, ...Object.values(fragments)] },
      { schema, variables: variableValues ?? {} },
    );
    const rootFields = countRootFields(operation.selectionSet, fragments);
    return { depth, fields: breadth, rootFields, cost: complexity };
  } catch (error) {
    // A variable has no value that fits.
    if (error instanceof GraphQLError) return null;
    throw error;
  }
}

function problemOf(
  { depth, fields, rootFields, cost }: OperationCost,
  limits: DocumentLimits,
): GraphQLError | null {
  if (depth > limits.maxDepth)
    return tooLarge(
      'OPERATION_TOO_DEEP',
      `The operation is ${depth} fields deep; ${limits.maxDepth} is the most.`,
    );
  if (fields > limits.maxFields)
    return tooLarge(
      'OPERATION_TOO_BROAD',
      `The operation selects ${fields} fields; ${limits.maxFields} is the most.`,
    );
  if (rootFields > limits.maxRootFields)
    return tooLarge(
      'OPERATION_TOO_BROAD',
      `The operation has ${rootFields} fields at its top; ${limits.maxRootFields} is the most.`,
    );
  if (cost > limits.maxCost)
    return tooLarge(
      'OPERATION_TOO_EXPENSIVE',
      `The operation may cost ${cost}; ${limits.maxCost} is the most. Ask for smaller pages or fewer fields.`,
      { cost, maxCost: limits.maxCost },
    );
  return null;
}

type Fragments = Readonly<Record<string, FragmentDefinitionNode>>;

function fragmentsOf({ definitions }: DocumentNode): Record<string, FragmentDefinitionNode> {
  return Object.fromEntries(
    definitions.flatMap((definition) =>
      definition.kind === Kind.FRAGMENT_DEFINITION ? [[definition.name.value, definition]] : [],
    ),
  );
}

/** Fields of the root type, those of fragments included; validation has made sure that fragments hold no cycle. */
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
