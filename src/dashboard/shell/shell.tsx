import { type ReactNode, useEffect } from 'react';
import { Link, NavLink, useLocation, useNavigationType } from 'react-router';
import { useJobFeed } from '../jobs/job-feed.ts';
import { ActiveSync } from './active-sync.tsx';
import { ConnectionBanner, ConnectionMark } from './connection.tsx';
import { ThemeSwitch } from './theme-switch.tsx';
import { Who } from './who.tsx';

/** What is around every page: where one can go, what goes on, and whether the server is there. */
export function Shell({ children }: { children: ReactNode }) {
  useJobFeed();
  useScrollToTop();
  return (
    <>
      <a className="skip-link" href="#content">
        Skip to content
      </a>
      <header className="header">
        <Link to="/" className="brand">
          <img src="/icon.svg" alt="" width="22" height="22" />
          BLADE Ingestion
        </Link>
        <nav aria-label="Main" className="nav">
          <NavLink to="/" end>
            Jobs
          </NavLink>
          <NavLink to="/sources">Data sources</NavLink>
          <NavLink to="/items">Items</NavLink>
          <a href="/graphql">GraphiQL</a>
        </nav>
        <div className="header-end">
          <Who />
          <ConnectionMark />
          <ThemeSwitch />
        </div>
      </header>
      <ActiveSync />
      <ConnectionBanner />
      <main id="content" tabIndex={-1} className="content">
        {children}
      </main>
    </>
  );
}

/** A new page begins at its top; one that is gone back to is left where it was. */
function useScrollToTop(): void {
  const { pathname } = useLocation();
  const navigation = useNavigationType();
  // biome-ignore lint/correctness/useExhaustiveDependencies: a change of the path is what it waits for
  useEffect(() => {
    if (navigation === 'PUSH') window.scrollTo(0, 0);
  }, [pathname, navigation]);
}
