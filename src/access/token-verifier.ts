import { webcrypto } from 'node:crypto';
import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';
import { type Marking, parseMarking } from '../data-types/marking.ts';
import { AuthenticationUnavailableError, UnauthenticatedError } from './access-errors.ts';
import {
  ACCESS_ROLES,
  type AccessRole,
  isAccessRole,
  isReservedPrincipalId,
  type Principal,
} from './principal.ts';
import type { TokenSettings } from './settings.ts';

/**
 * Finds the principal of a JSON Web Token.
 * @throws UnauthenticatedError if it is not valid; AuthenticationUnavailableError while the issuer's keys cannot be
 * fetched.
 */
export type TokenVerifier = (token: string) => Promise<Principal>;

/** How far the clocks of the issuer and of this machine may differ, in seconds. */
const CLOCK_TOLERANCE_SECONDS = 5;

/** Each kind of key has its own algorithms, so that a public key can never pass for a secret (RFC 8725, 3.1). */
const SECRET_ALGORITHMS = ['HS256'];
const KEY_SET_ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

export function createTokenVerifier(settings: TokenSettings): TokenVerifier {
  const { keys, issuer, audience } = settings;
  const options: JWTVerifyOptions = {
    issuer,
    audience,
    requiredClaims: ['sub', 'exp'],
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    algorithms: keys.kind === 'secret' ? SECRET_ALGORITHMS : KEY_SET_ALGORITHMS,
  };
  const verify = keys.kind === 'secret' ? bySecret(keys.secret, options) : byKeySet(keys.url, options);
  return async (token) => {
    const { payload } = await verify(token).catch((error: unknown) => {
      throw toAuthenticationError(error);
    });
    return toPrincipal(payload, settings);
  };
}

function bySecret(secret: string, options: JWTVerifyOptions) {
  // Imported once: jose imports other forms of a key for each token, which costs more than verifying it.
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = webcrypto.subtle.importKey('raw', Buffer.from(secret), algorithm, false, ['verify']);
  return async (token: string) => jwtVerify(token, await key, options);
}

function byKeySet(url: URL, options: JWTVerifyOptions) {
  const keySet = createRemoteJWKSet(url);
  return (token: string) => jwtVerify(token, keySet, options);
}

function toAuthenticationError(error: unknown): UnauthenticatedError | AuthenticationUnavailableError {
  if (error instanceof errors.JWTExpired) return new UnauthenticatedError('the token has expired');
  if (error instanceof errors.JWTClaimValidationFailed) {
    return new UnauthenticatedError(`the claim ${error.claim} of the token is not what it must be`);
  }
  if (error instanceof errors.JOSEError && TOKEN_FAULTS.has(error.code)) {
    return new UnauthenticatedError('the token is not valid');
  }
  return new AuthenticationUnavailableError('the keys of the issuer of tokens cannot be fetched now', error);
}

/** The errors that are the fault of the token, not of the way to the issuer's keys. */
const TOKEN_FAULTS: ReadonlySet<string> = new Set([
  errors.JWSInvalid.code,
  errors.JWTInvalid.code,
  errors.JWSSignatureVerificationFailed.code,
  errors.JOSEAlgNotAllowed.code,
  errors.JOSENotSupported.code,
  errors.JWKSNoMatchingKey.code,
  errors.JWKSMultipleMatchingKeys.code,
]);

function toPrincipal(payload: JWTPayload, { roleClaim, clearanceClaim }: TokenSettings): Principal {
  const { sub, exp, name, preferred_username: userName } = payload;
  if (!isName(sub) || isReservedPrincipalId(sub) || exp === undefined) {
    throw new UnauthenticatedError('the claim sub of the token cannot be used');
  }
  return {
    id: sub,
    name: [name, userName].find(isName) ?? sub,
    role: parseRole(payload[roleClaim], roleClaim),
    clearance: parseClearance(payload[clearanceClaim], clearanceClaim),
    expiresAt: new Date(exp * 1000),
  };
}

/** Whether a claim can be a name, which goes into logs and the database: visible text of bounded length. */
function isName(value: unknown): value is string {
  return typeof value === 'string' && /^[^\p{Cc}\p{Cs}]{1,255}$/u.test(value);
}

/** Parses the highest role of a claim; the lowest if it is missing. One unknown role makes the token invalid. */
function parseRole(claim: unknown, name: string): AccessRole {
  const roles: unknown[] = Array.isArray(claim) ? claim : [claim ?? ACCESS_ROLES[0]];
  const known = roles.filter(isAccessRole);
  if (known.length < roles.length) {
    throw new UnauthenticatedError(`the claim ${name} of the token must be ${ACCESS_ROLES.join(', ')}`);
  }
  return ACCESS_ROLES.findLast((role) => known.includes(role)) ?? ACCESS_ROLES[0];
}

function parseClearance(claim: unknown, name: string): Marking {
  if (claim === undefined || claim === null) return 'UNCLASSIFIED';
  const marking = typeof claim === 'string' ? parseMarking(claim) : undefined;
  if (marking === undefined) {
    throw new UnauthenticatedError(`the claim ${name} of the token must be a classification marking`);
  }
  return marking;
}
