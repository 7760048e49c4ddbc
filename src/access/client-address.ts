import type { IncomingMessage } from 'node:http';
import { isIPv6, SocketAddress } from 'node:net';

/** Tells from where a request comes, as far as whoever sends one can be counted by it. */
export type ClientAddress = (request: IncomingMessage) => string;

/**
 * @param proxies how many stand in front, each of which adds the address it was reached from to `X-Forwarded-For`: what
 * stands before those anybody can have written.
 */
export function createClientAddress(proxies: number): ClientAddress {
  if (proxies === 0) return ({ socket }) => toNetwork(socket.remoteAddress ?? '');
  return ({ headers, socket }) => {
    const forwarded = [headers['x-forwarded-for'] ?? []].flat().join(',').split(',');
    const address = SocketAddress.parse(addBrackets(forwarded.at(-proxies)?.trim() ?? ''))?.address;
    return toNetwork(address ?? socket.remoteAddress ?? '');
  };
}

/** Addresses of version 6 are in brackets where a port may follow. */
function addBrackets(address: string): string {
  return isIPv6(address) ? `[${address}]` : address;
}

/** An address of version 4, or the network of one of version 6: its last half is for each machine to choose. */
function toNetwork(address: string): string {
  const version4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (version4 !== undefined || !isIPv6(address)) return version4 ?? address;
  const [before = '', after] = address.split('%')[0]?.split('::') ?? [];
  const groups = (text = '') => (text === '' ? [] : text.split(':'));
  const [first, last] = [groups(before), groups(after)];
  const zeros = after === undefined ? 0 : 8 - first.length - last.length;
  return `${[...first, ...Array<string>(Math.max(zeros, 0)).fill('0'), ...last].slice(0, 4).join(':')}::/64`;
}
