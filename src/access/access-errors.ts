import { ExpectedError } from '../shared/expected-error.ts';
import type { AccessRole } from './principal.ts';

/** Nobody is known to be the sender: there is no credential, or it is no good any more. */
export class UnauthenticatedError extends ExpectedError {
  override readonly name = 'UnauthenticatedError';
  /** Whether there was no credential at all. */
  readonly isMissing: boolean;

  constructor(message: string, isMissing = false) {
    super(message);
    this.isMissing = isMissing;
  }
}

/** A credential could not be looked at: who issued it, or the database, does not answer. */
export class AuthenticationUnavailableError extends ExpectedError {
  override readonly name = 'AuthenticationUnavailableError';

  constructor(message: string, cause: unknown) {
    super(message, { cause });
  }
}

/** So many credentials of an address were no good that no more of them are looked at for a while. */
export class TooManyFailedCredentialsError extends ExpectedError {
  override readonly name = 'TooManyFailedCredentialsError';
  readonly retryAfterSeconds: number;

  constructor(retryAfterSeconds: number) {
    super(`too many credentials were refused: try again in ${retryAfterSeconds} s`);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The principal's role does not allow what it asks for: nothing was started or changed. */
export class ForbiddenError extends ExpectedError {
  override readonly name = 'ForbiddenError';
  readonly requiredRole: AccessRole;

  constructor(requiredRole: AccessRole, role: AccessRole) {
    super(`this needs the role ${requiredRole.toUpperCase()}; yours is ${role.toUpperCase()}`);
    this.requiredRole = requiredRole;
  }
}

/** No API key has the id. */
export class ApiKeyNotFoundError extends ExpectedError {
  override readonly name = 'ApiKeyNotFoundError';
  readonly apiKeyId: string;

  constructor(apiKeyId: string) {
    super(`there is no API key ${apiKeyId}`);
    this.apiKeyId = apiKeyId;
  }
}
