import { Button, Group } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import type { List, Rows, Total } from '../api/use-list.ts';
import { formatAmount, formatCount, type Noun, pluralize } from '../format/format.ts';
import { Loading } from './loading.tsx';
import { RequestError } from './notice.tsx';

interface ListViewProps<Row> {
  readonly list: List<Row>;
  /** What a row is. */
  readonly noun: Noun;
  /** Stands in for no rows. */
  readonly empty: ReactNode;
  readonly children: (rows: readonly Row[]) => ReactNode;
}

/** A list in any of its states: loading, failed, empty, or with rows and a button for more. */
export function ListView<Row>({ list, noun, empty, children }: ListViewProps<Row>) {
  const { loaded, error, reload, loadMore } = list;
  if (loaded === null) {
    if (error !== undefined) return <RequestError error={error} onRetry={reload} />;
    return <Loading what={pluralize(noun)} />;
  }
  if (loaded.rows.length === 0 && loaded.next === null) return empty;
  return (
    <>
      {children(loaded.rows)}
      {loaded.total !== null && (
        <LoadMore loaded={loaded} total={loaded.total} noun={noun} onLoad={loadMore} />
      )}
    </>
  );
}

function formatTotal({ count, isExact }: Total, noun: Noun): string {
  return isExact ? formatAmount(count, noun) : `more than ${formatAmount(count, noun)}`;
}

interface LoadMoreProps {
  readonly loaded: Rows<unknown>;
  readonly total: Total;
  readonly noun: Noun;
  readonly onLoad: () => Promise<unknown>;
}

function LoadMore({ loaded: { rows, next }, total, noun, onLoad }: LoadMoreProps) {
  const [isLoading, setLoading] = useState(false);
  return (
    <Group gap={12} px={2} py={10} c="dimmed" fz={13}>
      <span role="status">
        {formatCount(rows.length)} of {formatTotal(total, noun)}
      </span>
      {next !== null && (
        <Button
          size="xs"
          variant="default"
          loading={isLoading}
          onClick={() => {
            setLoading(true);
            // The rows stay and the button can be clicked again, so a failure needs no message.
            void onLoad()
              .catch(() => {})
              .finally(() => setLoading(false));
          }}
        >
          Load more
        </Button>
      )}
    </Group>
  );
}
