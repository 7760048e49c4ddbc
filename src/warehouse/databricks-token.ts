import { auth } from '@databricks/sql';
import { Agent, fetch } from 'undici';
import { z } from 'zod';
import { WarehouseError } from './warehouse.ts';

export interface ServicePrincipal {
  /** The workspace, with its port where that is not 443. */
  readonly host: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** PEM of an authority to trust beside the well-known ones. */
  readonly certificateAuthority: readonly string[] | undefined;
}

/**
 * Gets tokens for a service principal from its workspace, as every cloud of Databricks gives them. The driver's own
 * way knows only the domains of some of the clouds.
 */
export function servicePrincipalTokens(principal: ServicePrincipal) {
  const dispatcher = new Agent({ connect: { ca: principal.certificateAuthority?.slice() } });
  return {
    getName: () => 'service principal',
    /** @throws WarehouseError UNAVAILABLE where no token is given. */
    async getToken() {
      const response = await fetch(`https://${principal.host}/oidc/v1/token`, {
        method: 'POST',
        dispatcher,
        headers: { authorization: `Basic ${basicCredentials(principal)}` },
        body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'all-apis' }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      }).catch(() => {
        throw new WarehouseError('UNAVAILABLE', 'The warehouse gave no token: its host cannot be reached.');
      });
      const answer = tokenAnswer.safeParse(await response.json().catch(() => null));
      if (!response.ok || !answer.success)
        throw new WarehouseError(
          'UNAVAILABLE',
          `The warehouse gave no token to the service principal (HTTP ${response.status}): check its client id and secret.`,
        );
      return new auth.Token(answer.data.access_token, {
        expiresAt: new Date(Date.now() + answer.data.expires_in * 1000),
      });
    },
  };
}

const TIMEOUT_MS = 30_000;

const tokenAnswer = z.object({ access_token: z.string().min(1), expires_in: z.number().default(3600) });

function basicCredentials({ clientId, clientSecret }: ServicePrincipal): string {
  return Buffer.from(`${clientId}:${clientSecret}`).toString('base64');
}
