import type { Context } from 'graphql-ws';
import type { Logger } from 'pino';
import { UnauthenticatedError } from '../../../access/access-errors.ts';
import type { Authenticator } from '../../../access/authenticator.ts';
import type { ClientAddress } from '../../../access/client-address.ts';
import type { Principal } from '../../../access/principal.ts';
import { isObject } from '../../../shared/json.ts';
import { toCredentialError } from '../authentication.ts';
import type { Extra } from './channel.ts';

/** A connection whose principal is known. */
export interface AuthenticatedConnection {
  readonly principal: Principal;
}

type Connection = Context<Record<string, unknown>, Extra>;

/**
 * Authenticates each connection by the payload of its `connection_init`, if it was not before, and closes it when the
 * credential expires or is revoked.
 * @returns hooks for graphql-ws.
 */
export function authenticateConnections(
  authenticator: Authenticator,
  findAddress: ClientAddress,
  log: Logger,
) {
  const unwatch = new WeakMap<object, () => void>();

  return {
    async onConnect({ connectionParams, extra }: Connection): Promise<boolean> {
      try {
        const principal =
          extra.principal ??
          (await authenticator.authenticate(findAuthorization(connectionParams), findAddress(extra.request)));
        Object.assign(extra, { principal } satisfies AuthenticatedConnection);
        const stop = authenticator.watch(principal, (reason) => close(extra, FORBIDDEN, reason));
        unwatch.set(extra.channel, stop);
        // It may have closed in the meantime.
        if (!extra.channel.isOpen) stop();
        return true;
      } catch (error) {
        const refusal = toCredentialError(error, log);
        if (!(error instanceof UnauthenticatedError)) close(extra, TRY_AGAIN_LATER, refusal);
        else close(extra, error.isMissing ? UNAUTHORIZED : FORBIDDEN, refusal);
        return false;
      }
    },
    onClose({ extra }: Connection): void {
      unwatch.get(extra.channel)?.();
    },
  };
}

/** Close code of graphql-transport-ws: renew the credential and connect again. */
const FORBIDDEN = 4403;
/** Close code of graphql-transport-ws: do not try again without a credential. */
const UNAUTHORIZED = 4401;
/** Close code of RFC 6455 for a passing failure or too many attempts: connect again later. */
const TRY_AGAIN_LATER = 1013;

function close({ channel }: Extra, code: number, { message }: Error): void {
  channel.close(code, Buffer.from(message).subarray(0, MAX_REASON_BYTES).toString());
}

/** A close reason has at most 123 bytes; a character cut in half becomes one of three bytes. */
const MAX_REASON_BYTES = 120;

/** Finds the credential in the payload of a `connection_init`, at its top or in its `headers`, as clients send it. */
function findAuthorization(payload: Record<string, unknown> = {}): string | undefined {
  const { headers } = payload;
  const places = [payload, ...(isObject(headers) ? [headers] : [])];
  return places
    .flatMap(Object.entries)
    .find(([name, value]) => name.toLowerCase() === 'authorization' && typeof value === 'string')?.[1];
}
