import { RefusalNotice } from '../actions/refusal.tsx';
import { formatAmount } from '../format/format.ts';
import type { JobDetailsFragment, JobRowFragment } from '../generated/graphql.ts';
import { IconButton } from '../parts/icon-button.tsx';
import { ErrorNotice } from '../parts/notice.tsx';
import { isTerminal } from '../parts/status.tsx';
import { Faint, Message } from '../parts/text.tsx';
import { useAccess } from '../shell/access.tsx';
import styles from './failed-sources.module.css';
import { useRetry } from './use-retry.ts';

interface FailedSourcesProps {
  readonly job: JobRowFragment;
  readonly sources: JobDetailsFragment['failedSources'];
}

/** Lists the sources that could not be read, each with its reason, and a button that reads them again. */
export function FailedSources({ job: { id, state }, sources }: FailedSourcesProps) {
  const { control, note } = useAccess('OPERATOR');
  const retry = useRetry(id);
  if (sources.length === 0) return null;
  const canRetry = isTerminal(state) && sources.some(({ isRetryable }) => isRetryable);
  return (
    <ErrorNotice title={`${formatAmount(sources.length, 'data source')} failed`}>
      <ul className={styles.sources} aria-label="Failed sources">
        {sources.map(({ sourceName, dataType, message, isRetryable }) => (
          <li key={sourceName}>
            <strong>{sourceName}</strong> <Faint>{dataType}</Faint>
            {!isRetryable && <Faint> · deleted or disabled, so it cannot be read again</Faint>}
            <Message>{message}</Message>
          </li>
        ))}
      </ul>
      {canRetry && (
        <>
          {note}
          <IconButton
            {...control}
            {...retry.start('FAILED_SOURCES')}
            icon="retry"
            variant="default"
            size="xs"
          >
            Retry failed sources
          </IconButton>
        </>
      )}
      <RefusalNotice refusal={retry.refusal} />
    </ErrorNotice>
  );
}
