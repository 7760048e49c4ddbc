/** For tests that run on the embedded database and, where there is one, on a server. */
export { test } from './fixtures.ts';
