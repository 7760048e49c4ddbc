import { vi } from 'vitest';

// A test that does not say how long to wait waits for ten seconds: on a busy machine vitest's second passes before a process
// has had its turn.
const { waitFor } = vi;
vi.waitFor = (check, options = 10_000) => waitFor(check, options);
