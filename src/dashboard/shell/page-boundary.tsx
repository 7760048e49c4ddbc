import { Button } from '@mantine/core';
import { Component, type ReactNode } from 'react';
import { useLocation } from 'react-router';
import { ErrorNotice } from '../parts/notice.tsx';

/**
 * Keeps a page that fails from taking the others with it: most often its code could not be loaded, as the server is away
 * or has been updated since the dashboard was opened.
 */
export function PageBoundary({ children }: { children: ReactNode }) {
  const { pathname } = useLocation();
  return <Boundary key={pathname}>{children}</Boundary>;
}

class Boundary extends Component<{ children: ReactNode }, { hasFailed: boolean }> {
  override state = { hasFailed: false };

  static getDerivedStateFromError() {
    return { hasFailed: true };
  }

  override render() {
    if (!this.state.hasFailed) return this.props.children;
    return (
      <ErrorNotice title="This page could not be shown">
        <p>The server may be away, or may have been updated. Load the page again once it is back.</p>
        <Button size="xs" variant="default" onClick={() => location.reload()}>
          Load again
        </Button>
      </ErrorNotice>
    );
  }
}
