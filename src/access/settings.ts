import { z } from 'zod';
import { checkTogether, defineSettings, flag, secret, wholeNumber } from '../shared/settings.ts';

/** Whose tokens are accepted, and which of their claims hold role and clearance. */
export interface TokenSettings {
  readonly keys:
    | { readonly kind: 'secret'; readonly secret: string }
    /** Where the issuer publishes its public keys (JWKS). */
    | { readonly kind: 'key-set'; readonly url: URL };
  readonly issuer: string;
  readonly audience: string;
  readonly roleClaim: string;
  readonly clearanceClaim: string;
}

/** Whom the server lets in; without tokens and API keys, everybody who can reach it is the local admin. */
export interface AccessSettings {
  /** JSON Web Tokens of an issuer; null for none. */
  readonly tokens: TokenSettings | null;
  readonly useApiKeys: boolean;
  /** Refused credentials from one address after which no more of them are checked. */
  readonly failedCredentialsPerMinute: number;
  /** How many proxies stand between clients and the API. */
  readonly proxies: number;
}

/** Whether each request needs a credential. */
export function asksForCredential({
  tokens,
  useApiKeys,
}: Pick<AccessSettings, 'tokens' | 'useApiKeys'>): boolean {
  return tokens !== null || useApiKeys;
}

// A claim's name is shown in answers about tokens that are refused.
const claimName = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/, {
  error: 'must be the name of a claim, of visible ASCII characters',
});

export const accessSettings = defineSettings({
  variables: {
    BLADE_JWT_SECRET: secret(
      z
        .string()
        .min(32, { error: 'must have at least 32 characters' })
        .optional()
        .describe('Secret shared with the issuer of JSON Web Tokens (HS256).'),
    ),
    BLADE_JWT_JWKS_URL: z
      .url({ protocol: /^https?$/, error: 'must be a URL such as https://login.example.com/keys' })
      .optional()
      .describe('Where the issuer of JSON Web Tokens publishes its keys, instead of a secret.'),
    BLADE_JWT_ISSUER: z.string().optional().describe('Issuer (`iss`) that tokens must have.'),
    BLADE_JWT_AUDIENCE: z
      .string()
      .optional()
      .describe('Audience (`aud`) that tokens must have: this service.'),
    BLADE_JWT_ROLE_CLAIM: claimName
      .default('role')
      .describe('Claim of tokens that holds the role: `viewer` (if missing), `operator` or `admin`.'),
    BLADE_JWT_CLEARANCE_CLAIM: claimName
      .default('clearance')
      .describe('Claim of tokens that holds the clearance: a marking; `UNCLASSIFIED` if missing.'),
    BLADE_API_KEYS: flag().default(false).describe('Accept API keys; `npm run keys` creates them.'),
    BLADE_FAILED_CREDENTIALS_PER_MINUTE: wholeNumber(1, 1_000_000)
      .default(100)
      .describe('Refused credentials from one address in a minute after which no more of them are checked.'),
    BLADE_PROXIES: wholeNumber(0, 10)
      .default(0)
      .describe(
        'How many proxies stand in front, each of which adds the address it was reached from to `X-Forwarded-For`.',
      ),
  },
  check(values, _needed, refuse) {
    checkTogether(values, refuse, 'BLADE_JWT_SECRET', ['BLADE_JWT_ISSUER', 'BLADE_JWT_AUDIENCE']);
    checkTogether(values, refuse, 'BLADE_JWT_JWKS_URL', ['BLADE_JWT_ISSUER', 'BLADE_JWT_AUDIENCE']);
    if (values.BLADE_JWT_SECRET !== undefined && values.BLADE_JWT_JWKS_URL !== undefined) {
      refuse('BLADE_JWT_JWKS_URL', 'is set together with BLADE_JWT_SECRET; set one of them');
    }
  },
  toSettings(values): AccessSettings {
    const { BLADE_JWT_SECRET: sharedSecret, BLADE_JWT_JWKS_URL: url } = values;
    const issued = {
      issuer: values.BLADE_JWT_ISSUER ?? '',
      audience: values.BLADE_JWT_AUDIENCE ?? '',
      roleClaim: values.BLADE_JWT_ROLE_CLAIM,
      clearanceClaim: values.BLADE_JWT_CLEARANCE_CLAIM,
    };
    const settings = {
      tokens: null,
      useApiKeys: values.BLADE_API_KEYS,
      failedCredentialsPerMinute: values.BLADE_FAILED_CREDENTIALS_PER_MINUTE,
      proxies: values.BLADE_PROXIES,
    };
    if (sharedSecret !== undefined)
      return { ...settings, tokens: { keys: { kind: 'secret', secret: sharedSecret }, ...issued } };
    if (url !== undefined)
      return { ...settings, tokens: { keys: { kind: 'key-set', url: new URL(url) }, ...issued } };
    return settings;
  },
});
