/** For tests that run on a server and, where there is none or with TEST_EVERY_DATABASE=true, on the embedded database. */
export { test } from './fixtures.ts';
