import { auth } from '@databricks/sql';
import { ExponentialBackoff, handleAll, retry } from 'cockatiel';
import { Agent, fetch } from 'undici';
import { z } from 'zod';
import { WarehouseError } from '../warehouse.ts';

export interface ServicePrincipal {
  /** The workspace, with its port if that is not 443. */
  readonly host: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** PEM of the certificate authorities to trust; undefined for the well-known ones. */
  readonly certificateAuthority: readonly string[] | undefined;
}

/**
 * Creates a provider that gets tokens for a service principal from its workspace, which works in every Databricks cloud. The
 * driver's own provider knows only the domains of some clouds.
 */
export function createTokenProvider(principal: ServicePrincipal) {
  const dispatcher = new Agent({ connect: { ca: principal.certificateAuthority?.slice() } });
  return {
    getName: () => 'service principal',
    /** @throws WarehouseError UNAVAILABLE if there is no token. */
    async getToken() {
      const answer = await RETRY_POLICY.execute(() => requestToken(principal, dispatcher)).catch(() => null);
      if (answer === null)
        throw new WarehouseError(
          'UNAVAILABLE',
          'The warehouse returned no token: its host cannot be reached.',
        );
      if (answer.token === null)
        throw new WarehouseError(
          'UNAVAILABLE',
          `The warehouse returned no token for the service principal (HTTP ${answer.status}): check its client id and secret.`,
        );
      return new auth.Token(answer.token.access_token, {
        expiresAt: new Date(Date.now() + answer.token.expires_in * 1000),
      });
    },
  };
}

async function requestToken(principal: ServicePrincipal, dispatcher: Agent) {
  const response = await fetch(`https://${principal.host}/oidc/v1/token`, {
    method: 'POST',
    dispatcher,
    headers: { authorization: `Basic ${encodeCredentials(principal)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'all-apis' }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const body = TOKEN_ANSWER.safeParse(await response.json().catch(() => null));
  return { status: response.status, token: response.ok && body.success ? body.data : null };
}

const RETRY_POLICY = retry(
  handleAll.orWhenResult(
    (answer) => typeof answer === 'object' && answer !== null && 'status' in answer && isBusy(answer.status),
  ),
  { maxAttempts: 4, backoff: new ExponentialBackoff({ initialDelay: 500 }) },
);

function isBusy(status: unknown): boolean {
  return typeof status === 'number' && (status === 429 || status >= 500);
}

const TIMEOUT_MS = 30_000;

const TOKEN_ANSWER = z.object({ access_token: z.string().min(1), expires_in: z.number().default(3600) });

function encodeCredentials({ clientId, clientSecret }: ServicePrincipal): string {
  return Buffer.from(`${clientId}:${clientSecret}`).toString('base64');
}
