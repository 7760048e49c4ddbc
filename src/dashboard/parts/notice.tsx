import { ServerError } from '@apollo/client';
import { Alert, Button, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { describeError, isUnreachable } from '../api/errors.ts';
import { Icon } from './icon.tsx';
import styles from './notice.module.css';

/** Shows what went wrong and what can be done. */
export function ErrorNotice({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <Notice title={title} isError>
      {children}
    </Notice>
  );
}

/** Shows something that people should know, or act on if it is an error. */
export function Notice({
  title,
  isError,
  children,
}: {
  title: string;
  isError: boolean;
  children?: ReactNode;
}) {
  return (
    <Alert
      className={styles.notice}
      classNames={isError ? {} : { label: styles.label ?? '' }}
      role="alert"
      tabIndex={-1}
      color={isError ? 'red' : 'yellow'}
      icon={<Icon name="warning" />}
      title={title}
    >
      {children}
    </Alert>
  );
}

/** Shows why something could not be loaded, with a button to try again. */
export function RequestError({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  return (
    <ErrorNotice title={nameError(error)}>
      <p>{isUnreachable(error) ? 'This page will load when the server is back.' : describeError(error)}</p>
      <Button size="xs" variant="default" onClick={onRetry}>
        Try again
      </Button>
    </ErrorNotice>
  );
}

/** Says that there is nothing to show yet, and what to do next. */
export function EmptyNotice({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className={styles.empty}>
      <Text inherit fw={600} c="var(--mantine-color-text)">
        {title}
      </Text>
      {children}
    </div>
  );
}

function nameError(error: unknown): string {
  if (isUnreachable(error)) return 'The server cannot be reached';
  return ServerError.is(error) ? 'The server refused the request' : 'The server could not answer';
}
