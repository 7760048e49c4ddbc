import type { IncomingMessage } from 'node:http';
import { isIPv6, SocketAddress } from 'node:net';

/** Finds the address by which the sender of a request is counted. */
export type ClientAddress = (request: IncomingMessage) => string;

/**
 * @param proxies how many stand in front, each of which adds the address it was reached from to `X-Forwarded-For`. The
 * client may have written what is before these.
 */
export function createClientAddress(proxies: number): ClientAddress {
  if (proxies === 0) return ({ socket }) => toNetwork(socket.remoteAddress ?? '');
  return ({ headers, socket }) => {
    const forwarded = [headers['x-forwarded-for'] ?? []].flat().join(',').split(',');
    const address = SocketAddress.parse(addBrackets(forwarded.at(-proxies)?.trim() ?? ''))?.address;
    return toNetwork(address ?? socket.remoteAddress ?? '');
  };
}

/** Puts an address of version 6 in brackets, as before a port. */
function addBrackets(address: string): string {
  return isIPv6(address) ? `[${address}]` : address;
}

/** Reduces an address of version 6 to its network, as each machine chooses the other half; version 4 stays as it is. */
function toNetwork(address: string): string {
  const version4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (version4 !== undefined || !isIPv6(address)) return version4 ?? address;
  const [before = '', after] = address.split('%')[0]?.split('::') ?? [];
  const groups = (text = '') => (text === '' ? [] : text.split(':'));
  const [first, last] = [groups(before), groups(after)];
  const zeros = after === undefined ? 0 : 8 - first.length - last.length;
  return `${[...first, ...Array<string>(Math.max(zeros, 0)).fill('0'), ...last].slice(0, 4).join(':')}::/64`;
}
