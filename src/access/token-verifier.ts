import { webcrypto } from 'node:crypto';
import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';
import { type Marking, parseMarking } from '../data-types/marking.ts';
import { AuthenticationUnavailableError, UnauthenticatedError } from './access-errors.ts';
import {
  type AccessRole,
  accessRoles,
  isAccessRole,
  isReservedPrincipalId,
  type Principal,
} from './principal.ts';
import type { TokenSettings } from './settings.ts';

/**
 * Tells whose a JSON Web Token is.
 * @throws UnauthenticatedError where it is not good; AuthenticationUnavailableError while the issuer's keys cannot be had.
 */
export type TokenVerifier = (token: string) => Promise<Principal>;

/** Seconds by which the clocks of the issuer and of this machine may differ. */
const CLOCK_TOLERANCE = 5;

/** Each kind of key with its own algorithms only, so that a public key can never pass for a secret (RFC 8725, 3.1). */
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
    clockTolerance: CLOCK_TOLERANCE,
    algorithms: keys.kind === 'secret' ? SECRET_ALGORITHMS : KEY_SET_ALGORITHMS,
  };
  const verify = keys.kind === 'secret' ? bySecret(keys.secret, options) : byKeySet(keys.url, options);
  return async (token) => {
    const { payload } = await verify(token).catch((error: unknown) => {
      throw toRefusal(error);
    });
    return toPrincipal(payload, settings);
  };
}

function bySecret(secret: string, options: JWTVerifyOptions) {
  // Imported once: a key of another form is imported for each token, which costs more than to verify it.
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = webcrypto.subtle.importKey('raw', Buffer.from(secret), algorithm, false, ['verify']);
  return async (token: string) => jwtVerify(token, await key, options);
}

function byKeySet(url: URL, options: JWTVerifyOptions) {
  const keySet = createRemoteJWKSet(url);
  return (token: string) => jwtVerify(token, keySet, options);
}

function toRefusal(error: unknown): UnauthenticatedError | AuthenticationUnavailableError {
  if (error instanceof errors.JWTExpired) return new UnauthenticatedError('the token has expired');
  if (error instanceof errors.JWTClaimValidationFailed) {
    return new UnauthenticatedError(`the claim ${error.claim} of the token is not what it has to be`);
  }
  if (error instanceof errors.JOSEError && TOKEN_FAULTS.has(error.code)) {
    return new UnauthenticatedError('the token is not valid');
  }
  return new AuthenticationUnavailableError('the keys of the issuer of tokens cannot be had now', error);
}

/** What of all that can go wrong is the fault of the token, not of the way to the issuer's keys. */
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

/** Names go into logs and the database: visible text of bounded length. */
function isName(value: unknown): value is string {
  return typeof value === 'string' && /^[^\p{Cc}\p{Cs}]{1,255}$/u.test(value);
}

/** The highest of the roles of a claim; the least where it is missing. One unknown role spoils the token. */
function parseRole(claim: unknown, name: string): AccessRole {
  const roles: unknown[] = Array.isArray(claim) ? claim : [claim ?? accessRoles[0]];
  const known = roles.filter(isAccessRole);
  if (known.length < roles.length) {
    throw new UnauthenticatedError(`the claim ${name} of the token has to be ${accessRoles.join(', ')}`);
  }
  return accessRoles.findLast((role) => known.includes(role)) ?? accessRoles[0];
}

function parseClearance(claim: unknown, name: string): Marking {
  if (claim === undefined || claim === null) return 'UNCLASSIFIED';
  const marking = typeof claim === 'string' ? parseMarking(claim) : undefined;
  if (marking === undefined) {
    throw new UnauthenticatedError(`the claim ${name} of the token has to be a classification marking`);
  }
  return marking;
}
