import type { OperationVariables, TypedDocumentNode } from '@apollo/client';
import { useApolloClient } from '@apollo/client/react';
import { useState } from 'react';
import { describeError } from '../api/errors.ts';
import type { RefusalReasonFragment } from '../generated/graphql.ts';

/** What is wrong with one field, by its path in the mutation's input, such as `options.batchSize`. */
export interface Issue {
  readonly field: string;
  readonly message: string;
}

/** Why something was not done. */
export type Refusal =
  /** The server refused it with an error from its schema. */
  | { readonly kind: 'refused'; readonly reason: RefusalReasonFragment }
  /** Some fields cannot be used as they are. */
  | { readonly kind: 'invalid'; readonly issues: readonly Issue[] }
  /** The request itself failed. */
  | { readonly kind: 'failed'; readonly message: string };

type Result<Data> = Data[Exclude<keyof Data, '__typename'>];

/** The result of a mutation that did what it was asked. */
export type Success<Data> = Extract<Result<Data>, { readonly __typename: `${string}Success` }>;

export interface Action {
  /** Sends a mutation of one field; returns its success, or null if it was refused. */
  run<Data, Variables extends OperationVariables>(
    document: TypedDocumentNode<Data, Variables>,
    variables: Variables,
  ): Promise<Success<Data> | null>;
  /** The mutation under way; null for none. */
  readonly running: unknown;
  /** Why the last run was refused; null if it was not. */
  readonly refusal: Refusal | null;
  refuse(issues: readonly Issue[]): void;
}

/** Sends mutations and keeps why the last one was refused. */
export function useAction(): Action {
  const client = useApolloClient();
  const [running, setRunning] = useState<unknown>(null);
  const [refusal, setRefusal] = useState<Refusal | null>(null);

  return {
    async run(mutation, variables) {
      setRefusal(null);
      setRunning(mutation);
      try {
        const { data } = await client.mutate<object, OperationVariables>({ mutation, variables });
        const result = findResult(data);
        if (isSuccess(result)) return result;
        setRefusal(readRefusal(result));
      } catch (error) {
        setRefusal({ kind: 'failed', message: describeError(error) });
      } finally {
        setRunning(null);
      }
      return null;
    },
    running,
    refusal,
    refuse: (issues) => setRefusal({ kind: 'invalid', issues }),
  };
}

function findResult(data: object | undefined): object | undefined {
  return Object.entries(data ?? {}).find(([field]) => field !== '__typename')?.[1];
}

function isSuccess<Data>(result: object | undefined): result is Success<Data> & object {
  return result !== undefined && '__typename' in result && String(result.__typename).endsWith('Success');
}

function readRefusal(result: object | undefined): Refusal {
  if (result === undefined) return { kind: 'failed', message: 'The server sent no result.' };
  const reason = result as RefusalReasonFragment;
  if (reason.__typename !== 'InvalidInputError') return { kind: 'refused', reason };
  // The server's paths begin with the argument: `input.options.batchSize`.
  const issues = reason.issues.map(({ path, message }) => ({
    field: path.slice(path[0] === 'input' ? 1 : 0).join('.'),
    message,
  }));
  return { kind: 'invalid', issues };
}
