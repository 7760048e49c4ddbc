/** For tests without a database that take minutes: `npm run test:slow` runs these alone. */
export { test } from 'vitest';
