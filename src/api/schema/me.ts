import type { Principal } from '../../access/principal.ts';
import { builder } from './builder.ts';
import { requires } from './requires.ts';

/** The roles of principals, as the API calls them. */
export const AccessRoleEnum = builder.enumType('AccessRole', {
  description: 'What a principal may do: each role may do all that the ones before it may.',
  values: {
    VIEWER: { value: 'viewer', description: 'Look things up and watch jobs.' },
    OPERATOR: { value: 'operator', description: 'Start, pause and end jobs, and test data sources.' },
    ADMIN: { value: 'admin', description: 'Keep data sources and API keys, and read the audit.' },
  } as const,
});

const MeType = builder.objectRef<Principal>('Me').implement({
  description: 'Who sends the request, as far as the server knows.',
  fields: (t) => ({
    id: t.exposeID('id', {
      description: 'What the audit calls you: the subject of your token, or `key:` and the id of your key.',
    }),
    name: t.exposeString('name', { description: 'What people call you.' }),
    role: t.expose('role', { type: AccessRoleEnum, description: 'What you may do.' }),
    clearance: t.exposeString('clearance', { description: 'The highest marking that you may see.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When your credential expires, which ends your subscriptions; null for never.',
    }),
  }),
});

/** A principal as it was called when it did something. */
export interface NamedPrincipal {
  readonly id: string;
  readonly name: string;
}

export const PrincipalType = builder.objectRef<NamedPrincipal>('Principal').implement({
  description: 'Somebody, or something, that did something.',
  fields: (t) => ({
    id: t.exposeID('id', {
      description:
        'The subject of its token, `key:` and the id of its API key, `scheduler`, `command-line`, or `local` on a server that asks nobody who they are.',
    }),
    name: t.exposeString('name', { description: 'What it was called then.' }),
  }),
});

builder.queryField('me', (t) =>
  t.field({
    type: MeType,
    description: 'Who you are and what you may do.',
    authScopes: requires('viewer'),
    resolve: (_root, _args, { principal }) => principal,
  }),
);
