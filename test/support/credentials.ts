import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';

/** What servers and tokens of tests agree on. */
export const ISSUER = 'https://login.example.com';
export const AUDIENCE = 'blade-ingestion';
export const SECRET = 'a-secret-of-tests-with-enough-characters';

/** Settings of a server that accepts tokens signed with the secret. */
export const SECRET_SETTINGS = {
  BLADE_JWT_SECRET: SECRET,
  BLADE_JWT_ISSUER: ISSUER,
  BLADE_JWT_AUDIENCE: AUDIENCE,
};

/** Creates the claims of a valid token, which expires in an hour; undefined removes a claim. */
export function createClaims(claims: Record<string, unknown> = {}): JWTPayload {
  const inAnHour = Math.floor(Date.now() / 1000) + 3600;
  return { sub: 'maj.lee', iss: ISSUER, aud: AUDIENCE, exp: inAnHour, ...claims };
}

/** Creates the authorization of a valid token with these additional claims, signed with the secret. */
export async function bearer(claims: Record<string, unknown> = {}, secret: string = SECRET): Promise<string> {
  const token = await new SignJWT(createClaims(claims))
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(secret));
  return `Bearer ${token}`;
}

/** An issuer of tokens that publishes its keys on this machine. */
export interface TokenIssuer {
  readonly keySetUrl: string;
  /** The public key as a text, which might be mistaken for a secret. */
  readonly publicKey: string;
  bearer(claims?: Record<string, unknown>): Promise<string>;
  /** Makes it answer with errors, or work again. */
  setAway(isAway: boolean): void;
  /** The number of requests for its keys. */
  readonly requests: number;
  close(): Promise<void>;
}

export async function startTokenIssuer(): Promise<TokenIssuer> {
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
  const published = { ...(await exportJWK(publicKey)), kid: 'first', alg: 'RS256', use: 'sig' };
  let isAway = false;
  let requests = 0;
  const server = createServer((_request, response) => {
    requests++;
    if (isAway) response.writeHead(500).end();
    else {
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ keys: [published] }));
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    keySetUrl: `http://127.0.0.1:${port}/keys`,
    publicKey: JSON.stringify(published),
    async bearer(claims) {
      const token = await new SignJWT(createClaims(claims))
        .setProtectedHeader({ alg: 'RS256', kid: 'first' })
        .sign(privateKey);
      return `Bearer ${token}`;
    },
    setAway(value) {
      isAway = value;
    },
    get requests() {
      return requests;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
