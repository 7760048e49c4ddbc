import { once } from 'node:events';
import { connect } from 'node:net';

/**
 * Checks that something listens at an address, without sending anything.
 * @throws if nothing does within the time, in milliseconds.
 */
export async function checkPort(
  { host, port }: { readonly host: string; readonly port: number },
  timeoutMs: number,
): Promise<void> {
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(timeoutMs) });
  } finally {
    socket.destroy();
  }
}
