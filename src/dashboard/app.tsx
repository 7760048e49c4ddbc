import { lazy, Suspense, useSyncExternalStore } from 'react';
import { Route, Routes } from 'react-router';
import { ApiProvider } from './api/api-context.tsx';
import { currentSession, onSessionChange } from './api/session.ts';
import { JobsPage } from './jobs/jobs-page.tsx';
import { Loading } from './parts/loading.tsx';
import { NotFoundPage } from './shell/not-found-page.tsx';
import { PageBoundary } from './shell/page-boundary.tsx';
import { Shell } from './shell/shell.tsx';
import { SignIn } from './shell/sign-in.tsx';

const JobPage = lazy(() => import('./jobs/job-page.tsx'));
const SyncPage = lazy(() => import('./start/sync-page.tsx'));
const QueryPage = lazy(() => import('./start/query-page.tsx'));
const SourcesPage = lazy(() => import('./sources/sources-page.tsx'));
const SourcePage = lazy(() => import('./sources/source-page.tsx'));
const ItemsPage = lazy(() => import('./items/items-page.tsx'));
const ItemPage = lazy(() => import('./items/item-page.tsx'));

/** The pages by their addresses; src/api/http/dashboard-files.ts serves the page at these. */
export function App() {
  const { credential, isRefused } = useSyncExternalStore(onSessionChange, currentSession);
  if (isRefused) return <SignIn wasRefused={credential !== null} />;
  return (
    <ApiProvider key={credential} credential={credential}>
      <Shell>
        <PageBoundary>
          <Suspense fallback={<Loading what="the page" />}>
            <Routes>
              <Route path="/" element={<JobsPage />} />
              <Route path="/jobs/:id" element={<JobPage />} />
              <Route path="/start/sync" element={<SyncPage />} />
              <Route path="/start/query" element={<QueryPage />} />
              <Route path="/sources" element={<SourcesPage />} />
              <Route path="/sources/new" element={<SourcePage />} />
              <Route path="/sources/:id" element={<SourcePage />} />
              <Route path="/items" element={<ItemsPage />} />
              <Route path="/items/:dataType/:itemId" element={<ItemPage />} />
              <Route path="*" element={<NotFoundPage />} />
            </Routes>
          </Suspense>
        </PageBoundary>
      </Shell>
    </ApiProvider>
  );
}
