import { CombinedGraphQLErrors, ServerError } from '@apollo/client';
import { Alert, Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { Icon } from './icon.tsx';

/** Something went wrong, what it was, and what can be done. */
export function ErrorNotice({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <Alert
      className="notice"
      role="alert"
      tabIndex={-1}
      color="red"
      icon={<Icon name="warning" />}
      title={title}
    >
      {children}
    </Alert>
  );
}

/** A request that failed as a whole, in words, with a button to send it again. */
export function RequestError({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  return (
    <ErrorNotice title={titleOf(error)}>
      <p>
        {isUnreachable(error) ? 'The page asks again by itself as soon as it is back.' : describeError(error)}
      </p>
      {onRetry !== undefined && (
        <Button size="xs" variant="default" onClick={onRetry}>
          Try again
        </Button>
      )}
    </ErrorNotice>
  );
}

/** There is nothing to show yet, and what to do next. */
export function EmptyNotice({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {children}
    </div>
  );
}

/** Said where the server gave neither a result nor a reason. */
export const NO_ANSWER = 'The server gave no answer to this.';

/** What failed, for people: the server's own words where it gave some. */
export function describeError(error: unknown): string {
  if (CombinedGraphQLErrors.is(error)) return error.errors.map(({ message }) => message).join(' ');
  if (ServerError.is(error)) return `It answered with status ${error.statusCode}.`;
  return 'The server cannot be reached. Try again when it is back.';
}

function titleOf(error: unknown): string {
  if (isUnreachable(error)) return 'The server cannot be reached';
  return ServerError.is(error) ? 'The server refused the request' : 'The server could not answer';
}

function isUnreachable(error: unknown): boolean {
  return !CombinedGraphQLErrors.is(error) && !ServerError.is(error);
}
