/** For tests of the built dashboard in a browser, on the embedded database. */
export { test } from './fixtures.ts';
