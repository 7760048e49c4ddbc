import type { Marking } from '../data-types/marking.ts';

/** What a principal may do: each role may do all that the ones before it may. */
export const accessRoles = ['viewer', 'operator', 'admin'] as const;

export type AccessRole = (typeof accessRoles)[number];

/** Who sends a request. */
export interface Principal {
  /** The same for every request of it, such as the subject of its token: what the audit names. */
  readonly id: string;
  readonly name: string;
  readonly role: AccessRole;
  /** The highest marking it may see. */
  readonly clearance: Marking;
  /** When its right ends, and with it its subscriptions; null for never. */
  readonly expiresAt: Date | null;
}

/** Whoever can reach the loopback address of a server that knows no principals. */
export const localPrincipal: Principal = {
  id: 'local',
  name: 'Local user',
  role: 'admin',
  clearance: 'TOP SECRET',
  expiresAt: null,
};
