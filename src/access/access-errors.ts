import { ExpectedError } from '../shared/expected-error.ts';
import type { AccessRole } from './principal.ts';

/** There is no credential, or it is not valid. */
export class UnauthenticatedError extends ExpectedError {
  override readonly name = 'UnauthenticatedError';
  /** Whether there is none at all. */
  readonly isMissing: boolean;

  constructor(message: string, isMissing = false) {
    super(message);
    this.isMissing = isMissing;
  }
}

/** A credential could not be checked: its issuer or the database does not answer. */
export class AuthenticationUnavailableError extends ExpectedError {
  override readonly name = 'AuthenticationUnavailableError';

  constructor(message: string, cause: unknown) {
    super(message, { cause });
  }
}

/** Too many credentials from one address were refused, so that no more of them are checked for a while. */
export class TooManyFailedCredentialsError extends ExpectedError {
  override readonly name = 'TooManyFailedCredentialsError';
  readonly retryAfterSeconds: number;

  constructor(retryAfterSeconds: number) {
    super(`too many credentials were refused: try again in ${retryAfterSeconds} s`);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The principal's role does not allow the operation: nothing was started or changed. */
export class ForbiddenError extends ExpectedError {
  override readonly name = 'ForbiddenError';
  readonly requiredRole: AccessRole;

  constructor(requiredRole: AccessRole, role: AccessRole) {
    super(`this needs the role ${requiredRole.toUpperCase()}; yours is ${role.toUpperCase()}`);
    this.requiredRole = requiredRole;
  }
}

/** There is no API key with the id. */
export class ApiKeyNotFoundError extends ExpectedError {
  override readonly name = 'ApiKeyNotFoundError';
  readonly apiKeyId: string;

  constructor(apiKeyId: string) {
    super(`there is no API key ${apiKeyId}`);
    this.apiKeyId = apiKeyId;
  }
}
