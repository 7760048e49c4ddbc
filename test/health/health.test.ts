import { mkdir, rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect } from 'vitest';
import { test } from '../support/on-every-database.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

let application: TestApplication;

beforeAll(async () => {
  application = await startTestApplication();
  await mkdir(application.warehouseFolder, { recursive: true });
});

afterAll(() => application.close());

function ask(path: string): Promise<Response> {
  return fetch(new URL(path, application.url));
}

test('a process that can work is live and ready, and shows what was checked', async () => {
  expect((await ask('/health/live')).status).toBe(200);
  const ready = await ask('/health/ready');
  expect(ready.status).toBe(200);
  expect(await ready.json()).toEqual({
    ready: true,
    draining: false,
    parts: { database: { ok: true }, queue: { ok: true }, disk: { ok: true }, warehouse: { ok: true } },
  });
});

test('a process whose warehouse is gone stays live but is not ready, and says why', async () => {
  await rm(application.warehouseFolder, { recursive: true });
  expect((await ask('/health/live')).status).toBe(200);
  const ready = await ask('/health/ready');
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({
    ready: false,
    parts: { database: { ok: true }, warehouse: { ok: false, message: 'the warehouse cannot be reached' } },
  });
});

test('a process without an API serves its health, and nothing else', async () => {
  const worker = await startTestApplication({ BLADE_ROLES: 'worker' });
  try {
    expect(worker.url).toBe('');
    await mkdir(worker.warehouseFolder, { recursive: true });
    const origin = worker.log.join('').match(/http:\/\/127\.0\.0\.1:\d+/)?.[0];
    expect((await fetch(`${origin}/health/ready`)).status).toBe(200);
    expect((await fetch(`${origin}/graphql`)).status).toBe(404);
  } finally {
    await worker.close();
  }
});
