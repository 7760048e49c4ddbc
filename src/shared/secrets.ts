/** Takes the secrets that are known out of a text. */
export type Redact = (text: string) => string;

const INSTEAD = '[redacted]';

/** A shorter one would be found everywhere by chance; nothing so short is secret. */
const LEAST_LENGTH = 4;

/**
 * @param secrets the values that may not be shown; each is found as it is, and as JSON, a URL or Base64 writes it.
 */
export function createRedact(secrets: readonly string[]): Redact {
  const forms = new Set(
    secrets
      .filter((secret) => secret.length >= LEAST_LENGTH)
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
  return (text) => text.replace(pattern, INSTEAD);
}

/** What is secret in a URL: its password, wherever it stands. */
export function secretsOfUrl(text: string): string[] {
  const url = URL.parse(text);
  if (url === null) return [];
  const written = [url.password, url.searchParams.get('password') ?? ''];
  return written.filter((password) => password !== '').flatMap((password) => [password, decoded(password)]);
}

/** A text as it was before it was written for a URL; as it is where it was not. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
