import { ApolloLink } from '@apollo/client';
import { tap } from 'rxjs';

/**
 * Has a subscription with a variable `after` continue after the last cursor that it has got: the WebSocket link behind it
 * connects again by itself, and sends the variables as they are then.
 */
export function createContinueLink(): ApolloLink {
  return new ApolloLink((operation, forward) => {
    // Apollo freezes those that it is given.
    const variables: Record<string, unknown> = { ...operation.variables };
    operation.variables = variables;
    return forward(operation).pipe(
      tap(({ data }) => {
        variables.after = findCursor(data) ?? variables.after;
      }),
    );
  });
}

/** Finds the cursor of a message of a feed; null if the feed has none. */
export function findCursor(data: object | null | undefined): string | null {
  const [message] = Object.values(data ?? {});
  return hasCursor(message) ? message.cursor : null;
}

function hasCursor(message: unknown): message is { readonly cursor: string } {
  return (
    typeof message === 'object' &&
    message !== null &&
    'cursor' in message &&
    typeof message.cursor === 'string'
  );
}
