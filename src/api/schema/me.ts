import type { Principal } from '../../access/principal.ts';
import { builder } from './builder.ts';
import { encodeGlobalId } from './global-id.ts';
import { MarkingEnum } from './marking.ts';
import { requires } from './requires.ts';

/** The roles of principals, as named in the API. */
export const AccessRoleEnum = builder.enumType('AccessRole', {
  description: 'What a principal may do. Each role includes the ones before it.',
  values: {
    VIEWER: { value: 'viewer', description: 'Look up data and watch jobs.' },
    OPERATOR: {
      value: 'operator',
      description: 'Also start, pause and cancel jobs, lower markings, and test data sources.',
    },
    ADMIN: { value: 'admin', description: 'Also manage data sources and API keys, and read the audit.' },
  } as const,
});

/** A principal, with its name at the time of what it did. */
export interface NamedPrincipal {
  readonly id: string;
  readonly name: string;
}

export const PrincipalType = builder.objectRef<NamedPrincipal>('Principal').implement({
  description: 'Who did something: a user, a program, the scheduler or the command line.',
  fields: (t) => ({
    id: t.id({
      description:
        'Globally unique id: `Principal:` and the subject of its token, `key:` and the UUID of its API key, `scheduler`, `command-line`, or `local` on a server without credentials.',
      resolve: ({ id }) => encodeGlobalId('Principal', id),
    }),
    name: t.exposeString('name', { description: 'Its name at that time.' }),
  }),
});

const MeType = builder.objectRef<Principal>('Me').implement({
  description: 'Who sends the request.',
  fields: (t) => ({
    principal: t.field({
      type: PrincipalType,
      description: 'You, as the audit and the jobs that you start name you.',
      resolve: (principal) => principal,
    }),
    role: t.expose('role', { type: AccessRoleEnum, description: 'What you may do.' }),
    clearance: t.expose('clearance', {
      type: MarkingEnum,
      description: 'The highest marking that you may see.',
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When your credential expires, which ends your subscriptions. Null if never.',
    }),
  }),
});

builder.queryField('me', (t) =>
  t.field({
    type: MeType,
    description: 'Who you are and what you may do.',
    authScopes: requires('viewer'),
    nullable: true,
    resolve: (_root, _args, { principal }) => principal,
  }),
);
