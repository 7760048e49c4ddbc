import type { Marking } from '../data-types/marking.ts';

/** What a principal may do: each role may do what those before it may. */
export const ACCESS_ROLES = ['viewer', 'operator', 'admin'] as const;

export type AccessRole = (typeof ACCESS_ROLES)[number];

/** Whether a role may do what another one is needed for. */
export function includesRole(role: AccessRole, needed: AccessRole): boolean {
  return ACCESS_ROLES.indexOf(role) >= ACCESS_ROLES.indexOf(needed);
}

export function isAccessRole(value: unknown): value is AccessRole {
  return ACCESS_ROLES.some((role) => role === value);
}

/** Who sends a request. */
export interface Principal {
  /** The same for every request, such as the subject of a token: what the audit names. */
  readonly id: string;
  readonly name: string;
  readonly role: AccessRole;
  /** The highest marking it may see. */
  readonly clearance: Marking;
  /** When its credential expires, which ends its subscriptions; null for never. */
  readonly expiresAt: Date | null;
}

/** Everybody who can reach a server that needs no credential. */
export const localPrincipal: Principal = {
  id: 'local',
  name: 'Local user',
  role: 'admin',
  clearance: 'TOP SECRET',
  expiresAt: null,
};

/** The program itself, when a schedule is due. */
export const schedulerPrincipal: Principal = {
  id: 'scheduler',
  name: 'Scheduler',
  role: 'operator',
  clearance: 'TOP SECRET',
  expiresAt: null,
};

/**
 * Creates the principal of a command that works on the database itself.
 * @param user the name in the operating system.
 */
export function commandLinePrincipal(user: string): Principal {
  return { ...localPrincipal, id: 'command-line', name: `Command line (${user})` };
}

/** The beginning of the id of an API key's principal; the id of the key follows. */
const API_KEY = 'key:';

export function toPrincipalId(apiKeyId: string): string {
  return `${API_KEY}${apiKeyId}`;
}

/** Finds the id of the API key that a principal stands for; null for any other principal. */
export function findApiKeyId({ id }: Principal): string | null {
  return id.startsWith(API_KEY) ? id.slice(API_KEY.length) : null;
}

/** Whether an id belongs to a principal without a token, so that no token may claim it. */
export function isReservedPrincipalId(id: string): boolean {
  return id.startsWith(API_KEY) || ['local', 'scheduler', 'command-line'].includes(id);
}
