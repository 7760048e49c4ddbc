import type { GraphQLField, GraphQLResolveInfo } from 'graphql';
import { ForbiddenError } from '../../access/access-errors.ts';
import type { AuditRecord } from '../../access/audit.ts';
import { type AccessRole, includesRole, isAccessRole } from '../../access/principal.ts';
import type { ApiContext } from '../context.ts';
import { isUuid } from './input-checks.ts';

/**
 * Creates the scope of a root field that needs a role. A refusal is recorded in the audit before the answer.
 * @returns a check that throws ForbiddenError; `role` is the role it needs.
 */
export function requires(role: AccessRole) {
  const check = (
    _root: unknown,
    args: object,
    { principal, access }: ApiContext,
    { fieldName }: GraphQLResolveInfo,
  ): boolean | Promise<boolean> => {
    if (includesRole(principal.role, role)) return true;
    return access
      .recordRefused({ operation: fieldName, ...findSubject(args), details: { requiredRole: role } })
      .then(() => {
        throw new ForbiddenError(role, principal.role);
      });
  };
  return Object.assign(check, { role });
}

/**
 * Creates the scope of a type whose objects anybody may ask `node` for, but only a role may see.
 * @returns a check that throws ForbiddenError.
 */
export function requiresForNode(role: AccessRole) {
  return async (_node: unknown, { principal, access }: ApiContext): Promise<boolean> => {
    if (includesRole(principal.role, role)) return true;
    await access.recordRefused({ operation: 'node', details: { requiredRole: role } });
    throw new ForbiddenError(role, principal.role);
  };
}

/** Returns the role that a root field needs; null if it does not state one. */
export function findRequiredRole({
  extensions,
}: Pick<GraphQLField<unknown, unknown>, 'extensions'>): AccessRole | null {
  const options = extensions.pothosOptions as
    | { readonly authScopes?: { readonly role?: unknown } }
    | undefined;
  const role = options?.authScopes?.role;
  return isAccessRole(role) ? role : null;
}

/** Returns the job or source that an operation is about, if its id names one. */
function findSubject(args: object): Pick<AuditRecord, 'jobId' | 'dataSourceId'> {
  const named = 'input' in args && typeof args.input === 'object' && args.input !== null ? args.input : args;
  const [typename, id] = 'id' in named && typeof named.id === 'string' ? named.id.split(':') : [];
  if (id === undefined || !isUuid(id)) return {};
  if (typename === 'Job') return { jobId: id };
  return typename === 'DataSource' ? { dataSourceId: id } : {};
}
