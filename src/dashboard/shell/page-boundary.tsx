import { Button } from '@mantine/core';
import { Component, type ReactNode } from 'react';
import { useLocation } from 'react-router';
import { ErrorNotice } from '../parts/notice.tsx';

/**
 * Keeps a page that fails from taking the others with it. Usually its code could not be loaded, because the server is down
 * or was updated after the dashboard was opened.
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
      <ErrorNotice title="This page could not be loaded">
        <p>The server may be down, or may have been updated. Reload the page when the server is back.</p>
        <Button size="xs" variant="default" onClick={() => location.reload()}>
          Reload
        </Button>
      </ErrorNotice>
    );
  }
}
