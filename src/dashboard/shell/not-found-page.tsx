import { Link } from 'react-router';
import { Page } from '../parts/page.tsx';

export function NotFoundPage() {
  return (
    <Page title="Page not found">
      <p>
        Nothing is at this address. The <Link to="/">jobs</Link> are a good place to begin.
      </p>
    </Page>
  );
}
