import { type ReactNode, useEffect } from 'react';
import { Link, NavLink, useLocation, useNavigationType } from 'react-router';
import { useJobFeed } from '../jobs/job-feed.ts';
import { ActiveSync } from './active-sync.tsx';
import { ConnectionBadge, ConnectionBanner } from './connection-badge.tsx';
import styles from './shell.module.css';
import { ThemeSwitch } from './theme-switch.tsx';
import { ViewerBadge } from './viewer-badge.tsx';

/** What surrounds every page: navigation, the active sync and the connection. */
export function Shell({ children }: { children: ReactNode }) {
  useJobFeed();
  useScrollToTop();
  return (
    <>
      <a className={styles.skip} href="#content">
        Skip to content
      </a>
      <header className={styles.header}>
        <Link to="/" className={styles.brand}>
          <img src="/icon.svg" alt="" width="22" height="22" />
          BLADE Ingestion
        </Link>
        <nav aria-label="Main" className={styles.nav}>
          <NavLink to="/" end>
            Jobs
          </NavLink>
          <NavLink to="/sources">Data sources</NavLink>
          <NavLink to="/items">Items</NavLink>
          <a href="/graphql">GraphiQL</a>
        </nav>
        <div className={styles.end}>
          <ViewerBadge />
          <ConnectionBadge />
          <ThemeSwitch />
        </div>
      </header>
      <ActiveSync />
      <ConnectionBanner />
      <main id="content" tabIndex={-1} className={styles.content}>
        {children}
      </main>
    </>
  );
}

/** Scrolls a new page to its top; going back keeps the position. */
function useScrollToTop(): void {
  const { pathname } = useLocation();
  const navigation = useNavigationType();
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new path is what it waits for
  useEffect(() => {
    if (navigation === 'PUSH') window.scrollTo(0, 0);
  }, [pathname, navigation]);
}
