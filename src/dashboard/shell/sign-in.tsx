import { Button, PasswordInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { signIn } from '../api/session.ts';

/** Asks for what requests are to be sent with. */
export function SignIn({ wasRefused }: { wasRefused: boolean }) {
  const [credential, setCredential] = useState('');
  const [problem, setProblem] = useState<string | null>(null);

  function submit(event: FormEvent) {
    event.preventDefault();
    const given = credential.trim().replace(/^Bearer\s+/i, '');
    if (given === '') setProblem('Paste a token or an API key.');
    else if (!/^[\x21-\x7e]+$/.test(given)) setProblem('This has characters that no token or key has.');
    else signIn(given);
  }

  return (
    <main className="sign-in">
      <title>Sign in · BLADE Ingestion</title>
      <h1>Sign in to BLADE Ingestion</h1>
      <p>The server asks who you are. Your administrator gives out tokens and API keys.</p>
      <form onSubmit={submit} noValidate>
        <PasswordInput
          label="Token or API key"
          description="Kept in this tab until you close it or sign out."
          value={credential}
          onChange={({ currentTarget }) => setCredential(currentTarget.value)}
          error={
            problem ?? (wasRefused ? 'The server did not accept the last one, or it has run out.' : null)
          }
          autoComplete="off"
          data-autofocus
          autoFocus
        />
        <Button type="submit">Sign in</Button>
      </form>
    </main>
  );
}
