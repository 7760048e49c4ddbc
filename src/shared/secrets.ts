/** Replaces each known secret in a text. */
export type Redact = (text: string) => string;

const REPLACEMENT = '[redacted]';

/** Shorter secrets would match by chance everywhere. */
const MIN_LENGTH = 4;

/**
 * Creates a function that redacts secrets.
 * @param secrets values that must not be shown; each is found as it is, and as JSON, a URL or Base64 writes it.
 */
export function createRedact(secrets: readonly string[]): Redact {
  const forms = new Set(
    secrets
      .filter((secret) => secret.length >= MIN_LENGTH)
      .flatMap((secret) => [
        secret,
        JSON.stringify(secret).slice(1, -1),
        encodeURIComponent(secret),
        Buffer.from(secret).toString('base64'),
      ]),
  );
  if (forms.size === 0) return (text) => text;
  // The longest first, so that no secret hides a part of another.
  const patterns = [...forms].sort((a, b) => b.length - a.length).map(RegExp.escape);
  const pattern = new RegExp(patterns.join('|'), 'g');
  return (text) => text.replace(pattern, REPLACEMENT);
}

/** Finds the secrets in a URL: its passwords, both encoded and decoded. */
export function findUrlSecrets(text: string): string[] {
  const url = URL.parse(text);
  if (url === null) return [];
  return [url.password, url.searchParams.get('password') ?? '']
    .filter((password) => password !== '')
    .flatMap((password) => [password, decodeUrlText(password)]);
}

/** Decodes a text that may be percent-encoded; one that is not stays as it is. */
export function decodeUrlText(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
