import type { Marking } from '../data-types/marking.ts';

/** What a principal may do: each role may do all that the ones before it may. */
export const accessRoles = ['viewer', 'operator', 'admin'] as const;

export type AccessRole = (typeof accessRoles)[number];

/** Whether a role may do what needs another one. */
export function includesRole(role: AccessRole, needed: AccessRole): boolean {
  return accessRoles.indexOf(role) >= accessRoles.indexOf(needed);
}

export function isAccessRole(value: unknown): value is AccessRole {
  return accessRoles.some((role) => role === value);
}

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

/** The program itself, when a schedule comes due. */
export const schedulerPrincipal: Principal = {
  id: 'scheduler',
  name: 'Scheduler',
  role: 'operator',
  clearance: 'TOP SECRET',
  expiresAt: null,
};

/** Whoever runs a command on a machine that can reach the database. @param user as the operating system knows them. */
export function commandLinePrincipal(user: string): Principal {
  return { ...localPrincipal, id: 'command-line', name: `Command line (${user})` };
}

/** What the id of an API key's principal begins with; the id of the key follows. */
const API_KEY = 'key:';

export function toPrincipalId(apiKeyId: string): string {
  return `${API_KEY}${apiKeyId}`;
}

/** The id of the API key that a principal is; null for any other principal. */
export function findApiKeyId({ id }: Principal): string | null {
  return id.startsWith(API_KEY) ? id.slice(API_KEY.length) : null;
}

/** Whether an id means one of the principals that are not named by a token, so that no token may have it. */
export function isReservedPrincipalId(id: string): boolean {
  return id.startsWith(API_KEY) || ['local', 'scheduler', 'command-line'].includes(id);
}
