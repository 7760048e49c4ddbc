import { execFile } from 'node:child_process';
import { describe, expect, inject } from 'vitest';
import { createApiClient } from '../support/api-client.ts';
import { test } from '../support/on-embedded.ts';
import { subscribe } from '../support/subscriber.ts';

/** Runs `npm run keys -- …`. */
async function keys(environment: Record<string, string>, ...args: string[]) {
  return new Promise<{ code: number; out: string; err: string }>((resolve) => {
    const { PATH, NODE_COMPILE_CACHE } = process.env;
    const env = { PATH, NODE_COMPILE_CACHE, ...environment };
    const child = execFile(process.execPath, ['src/keys.ts', ...args], { env }, (_error, out, err) =>
      resolve({ code: child.exitCode ?? -1, out, err }),
    );
  });
}

const CREATE = ['create', '--name', 'Nightly report', '--role', 'admin', '--clearance', 'SECRET'];
const ME = '{ me { principal { name } role clearance expiresAt } }';

describe.skipIf(inject('preparedDatabase').kind === 'server')('on the embedded database', () => {
  test('the first key is created before the server starts; while it runs, the command says what to do instead', async ({
    folder,
    startProgram,
  }) => {
    const environment = { BLADE_DATA_FOLDER: folder, BLADE_API_KEYS: 'true' };
    const made = await keys(environment, ...CREATE, '--expires-in-days', '30');
    expect(made).toMatchObject({ code: 0, out: expect.stringMatching(/^blade_[\w-]{43}\n$/) });

    const program = await startProgram({ ...environment, BLADE_ROLES: 'api' });
    const client = createApiClient(program.url, `Bearer ${made.out.trim()}`);
    expect((await client.sendRaw(ME)).data).toMatchObject({
      me: {
        principal: { name: 'Nightly report' },
        role: 'ADMIN',
        clearance: 'SECRET',
        expiresAt: expect.any(String),
      },
    });
    const refused = await keys(environment, 'list');
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.err).toContain('createApiKey and revokeApiKey');
    expect(refused.err).not.toContain('    at ');
    await program.end('SIGTERM');
    expect(program.lines.join('\n')).not.toContain(made.out.trim());

    const listed = await keys(environment, 'list');
    expect(listed.out).toMatch(/Nightly report/);
    expect(listed.out).not.toContain(made.out.trim());
  }, 180_000);

  test('an invalid key is refused by the name of its option', async ({ folder }) => {
    const environment = { BLADE_DATA_FOLDER: folder };
    expect((await keys(environment, 'create', '--name', 'x')).err).toContain('--role');
    const wrong = await keys(
      environment,
      ...['create', '--name', 'x', '--role', 'root', '--clearance', 'COSMIC', '--expires-in-days', 'x'],
    );
    expect(wrong.code).toBe(1);
    expect(wrong.err).toMatch(/--role must be viewer, operator, admin\n--clearance must be one of/);
    expect(wrong.err).toContain('--expires-in-days');
    expect(await keys(environment, 'revoke', 'x')).toMatchObject({ code: 1, err: 'there is no API key x\n' });
  });
});

describe.skipIf(inject('preparedDatabase').kind === 'embedded')('on a server', () => {
  test('keys are created and revoked while programs run, and open subscriptions of a revoked key end', async ({
    database,
    startProgram,
  }) => {
    const environment = { DATABASE_URL: database.connectionString, BLADE_API_KEYS: 'true' };
    const program = await startProgram({ ...environment, BLADE_ROLES: 'api' });
    const authorization = `Bearer ${(await keys(environment, ...CREATE)).out.trim()}`;
    const client = createApiClient(program.url, authorization);
    expect((await client.sendRaw(ME)).status).toBe(200);

    const query = 'subscription { syncProgress { state } }';
    const subscription = subscribe(program.url, 'WebSocket', query, {}, authorization);
    await subscription.next();
    const id = /^([0-9a-f-]{36}) .*Nightly report$/m.exec((await keys(environment, 'list')).out)?.[1] ?? '';
    expect(await keys(environment, 'revoke', id)).toMatchObject({ code: 0 });
    await expect(subscription.next()).rejects.toMatchObject({ code: 4403 });
    expect((await client.sendRaw(ME)).status).toBe(401);

    const { rows } = await database.pool.query(
      'select operation, principal_id, principal_name from audit_entry order by id',
    );
    expect(rows).toMatchObject([
      { operation: 'createApiKey', principal_id: 'command-line' },
      { operation: 'revokeApiKey', principal_name: expect.stringMatching(/^Command line \(.+\)$/) },
    ]);
  }, 180_000);
});
