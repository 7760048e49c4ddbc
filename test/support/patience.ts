import { vi } from 'vitest';

// A test that waits for something without saying how long waits for ten seconds: on a busy machine the one second that is
// usual passes before a process has had its turn.
const { waitFor } = vi;
vi.waitFor = (check, options = 10_000) => waitFor(check, options);
