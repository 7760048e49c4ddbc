import { lazy, Suspense, useSyncExternalStore } from 'react';
import { Route, Routes } from 'react-router';
import { ApiProvider } from './api/api-context.tsx';
import { onSessionChange, readSession } from './api/session.ts';
import { JobsPage } from './jobs/jobs-page.tsx';
import { Loading } from './parts/loading.tsx';
import { NotFoundPage } from './shell/not-found-page.tsx';
import { PageBoundary } from './shell/page-boundary.tsx';
import { Shell } from './shell/shell.tsx';

const JobPage = lazy(() => import('./jobs/job-page.tsx'));
const SyncPage = lazy(() => import('./start/sync-page.tsx'));
const QueryPage = lazy(() => import('./start/query-page.tsx'));
const SourcesPage = lazy(() => import('./sources/sources-page.tsx'));
const SourcePage = lazy(() => import('./sources/source-page.tsx'));
const ItemsPage = lazy(() => import('./items/items-page.tsx'));
const ItemPage = lazy(() => import('./items/item-page.tsx'));
const SignInPage = lazy(() => import('./sign-in/sign-in-page.tsx'));

/** Routes addresses to pages; src/api/http/dashboard-files.ts serves the same addresses. */
export function App() {
  const { credential, isRefused } = useSyncExternalStore(onSessionChange, readSession);
  if (isRefused) {
    return (
      <PageBoundary>
        <Suspense>
          <SignInPage wasRefused={credential !== null} />
        </Suspense>
      </PageBoundary>
    );
  }
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
