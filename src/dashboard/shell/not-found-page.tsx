import { Link } from 'react-router';
import { Page } from '../parts/page.tsx';

export function NotFoundPage() {
  return (
    <Page title="Page not found">
      <p>
        There is no page at this address. Go to <Link to="/">jobs</Link>.
      </p>
    </Page>
  );
}
