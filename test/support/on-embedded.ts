/** For tests that run on the embedded database and, with TEST_EVERY_DATABASE=true, on a server. */
export { test } from './fixtures.ts';
