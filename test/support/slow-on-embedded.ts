/** For tests that damage folders, fill disks and end programs, which take minutes: `npm run test:slow` runs these alone. */
export { test } from './on-embedded.ts';
