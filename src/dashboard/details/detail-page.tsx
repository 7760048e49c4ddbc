import type { ReactNode } from 'react';
import { Loading } from '../parts/loading.tsx';
import { RequestError } from '../parts/notice.tsx';
import { Page } from '../parts/page.tsx';

interface DetailPageProps<Found> {
  /** What the page is about, such as `Job`. */
  readonly title: string;
  /** Undefined until it is loaded; null if it does not exist. */
  readonly found: Found | null | undefined;
  readonly error: unknown;
  readonly reload: () => void;
  /** Says why it may not exist, and where to go. */
  readonly missing: ReactNode;
  readonly children: (found: Found) => ReactNode;
}

/** A page about one thing, which may still be loading or not exist. */
export function DetailPage<Found>(props: DetailPageProps<Found>) {
  const { title, found, error, reload, missing, children } = props;
  if (found === null) {
    return (
      <Page title={`${title} not found`}>
        <p>{missing}</p>
      </Page>
    );
  }
  if (found !== undefined) return children(found);
  return (
    <Page title={title}>
      {error === undefined ? (
        <Loading what={`the ${title.toLowerCase()}`} />
      ) : (
        <RequestError error={error} onRetry={reload} />
      )}
    </Page>
  );
}
