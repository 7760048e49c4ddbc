import { Button } from '@mantine/core';
import { useState } from 'react';
import { formatCount } from '../format/format.ts';

interface LoadMoreProps {
  readonly shown: number;
  readonly total: number;
  readonly hasMore: boolean;
  readonly onLoad: () => Promise<unknown>;
  /** What the list is of, such as `jobs`. */
  readonly what: string;
}

/** Tells how much of a list is shown, and loads the next page below it. */
export function LoadMore({ shown, total, hasMore, onLoad, what }: LoadMoreProps) {
  const [isLoading, setLoading] = useState(false);
  return (
    <div className="load-more">
      <span role="status">
        {formatCount(shown)} of {formatCount(total)} {what}
      </span>
      {hasMore && (
        <Button
          size="xs"
          variant="default"
          loading={isLoading}
          onClick={() => {
            setLoading(true);
            // A failure shows at the list, whose query has it.
            void onLoad()
              .catch(() => {})
              .finally(() => setLoading(false));
          }}
        >
          Load more
        </Button>
      )}
    </div>
  );
}
