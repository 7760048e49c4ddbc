/** For tests that take minutes on a server, or where there is none on the embedded database: `npm run test:slow` runs these alone. */
export { test } from './fixtures.ts';
