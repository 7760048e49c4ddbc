import { Button, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { signIn } from '../api/session.ts';
import styles from './sign-in-page.module.css';

/** Asks for a credential. */
export default function SignInPage({ wasRefused }: { wasRefused: boolean }) {
  const [credential, setCredential] = useState('');
  const [problem, setProblem] = useState<string | null>(null);

  function submit(event: FormEvent) {
    event.preventDefault();
    const given = credential.trim().replace(/^Bearer\s+/i, '');
    if (given === '') setProblem('Paste a token or an API key.');
    else if (!/^[\x21-\x7e]+$/.test(given))
      setProblem('Tokens and keys have no spaces or line breaks, and only ASCII characters.');
    else signIn(given);
  }

  return (
    <main className={styles.page}>
      <title>Sign in · BLADE Ingestion</title>
      <h1>Sign in to BLADE Ingestion</h1>
      <p>This server requires a credential. Your administrator can give you a token or an API key.</p>
      <form onSubmit={submit} noValidate>
        <TextInput
          type="password"
          label="Token or API key"
          description="Kept in this tab until you close it or sign out."
          value={credential}
          onChange={({ currentTarget }) => setCredential(currentTarget.value)}
          error={
            problem ?? (wasRefused ? 'The server did not accept this credential, or it has expired.' : null)
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
