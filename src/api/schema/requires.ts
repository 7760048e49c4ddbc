import type { GraphQLField, GraphQLResolveInfo } from 'graphql';
import { ForbiddenError } from '../../access/access-errors.ts';
import type { AuditRecord } from '../../access/audit.ts';
import { type AccessRole, includesRole, isAccessRole } from '../../access/principal.ts';
import type { ApiContext } from '../context.ts';
import { isUuid } from './input-checks.ts';

/**
 * The scope of a root field: which role it needs. A refusal is in the audit before it is answered.
 * @returns a check that throws ForbiddenError; `role` is what it asks for.
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
      .recordRefused({ operation: fieldName, ...subjectOf(args), details: { requiredRole: role } })
      .then(() => {
        throw new ForbiddenError(role, principal.role);
      });
  };
  return Object.assign(check, { role });
}

/** The role that a root field asks for; null where it asks for none, and so says nothing of who may have it. */
export function requiredRoleOf({
  extensions,
}: Pick<GraphQLField<unknown, unknown>, 'extensions'>): AccessRole | null {
  const options = extensions.pothosOptions as
    | { readonly authScopes?: { readonly role?: unknown } }
    | undefined;
  const role = options?.authScopes?.role;
  return isAccessRole(role) ? role : null;
}

/** What an operation is about, where its id says so. */
function subjectOf(args: object): Pick<AuditRecord, 'jobId' | 'dataSourceId'> {
  const [typename, id] = 'id' in args && typeof args.id === 'string' ? args.id.split(':') : [];
  if (id === undefined || !isUuid(id)) return {};
  if (typename === 'Job') return { jobId: id };
  return typename === 'DataSource' ? { dataSourceId: id } : {};
}
