import { ApolloLink } from '@apollo/client';
import { Observable } from 'rxjs';

/**
 * Lets a subscription with a variable `after` continue after the last cursor that it has got. Place it before the
 * `GraphQLWsLink`, which connects again by itself and sends the variables as they are then.
 */
export function createContinueLink(): ApolloLink {
  return new ApolloLink((operation, forward) => {
    // Apollo freezes those that it is given.
    const variables: Record<string, unknown> = { ...operation.variables };
    operation.variables = variables;
    return new Observable((observer) =>
      forward(operation).subscribe({
        next(result) {
          const [message] = Object.values(result.data ?? {});
          if (hasCursor(message)) variables.after = message.cursor;
          observer.next(result);
        },
        error: (error) => observer.error(error),
        complete: () => observer.complete(),
      }),
    );
  });
}

function hasCursor(message: unknown): message is { cursor: string } {
  return typeof message === 'object' && message !== null && 'cursor' in message;
}
