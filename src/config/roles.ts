import { z } from 'zod';
import { accessSettings, asksForCredential } from '../access/settings.ts';
import { httpSettings } from '../api/http/settings.ts';
import { defineSettings, splitList } from '../shared/settings.ts';

const ROLES = ['api', 'worker'] as const;

/** What a process does. */
export type Role = (typeof ROLES)[number];

export const roleSettings = defineSettings({
  variables: {
    BLADE_ROLES: z
      .string()
      .default('api,worker')
      .transform(splitList)
      .pipe(
        z
          .array(z.enum(ROLES, { error: 'must be api, worker or api,worker' }))
          .min(1, { error: 'must be api, worker or api,worker' }),
      )
      .describe('What this process does: `api`, `worker`, or both.'),
  },
  needs: { http: httpSettings, access: accessSettings },
  check({ BLADE_ROLES: roles }, { http, access }, refuse) {
    if (!roles.includes('api') || http.origins.isLoopback || asksForCredential(access)) return;
    refuse(
      'HOST',
      `other machines can reach ${http.host}, and no credential is needed: set BLADE_JWT_SECRET or BLADE_JWT_JWKS_URL, or BLADE_API_KEYS=true, or leave HOST at 127.0.0.1`,
    );
  },
  toSettings: ({ BLADE_ROLES: roles }): ReadonlySet<Role> => new Set(roles),
});
