import { expect, test } from 'vitest';
import { createLog } from '../../src/application/log.ts';

test('no log line shows a secret, wherever it occurs', () => {
  const lines: string[] = [];
  const log = createLog(
    { log: { level: 'trace' }, secrets: ['hunter2', 'with "quotes"'] },
    { write: (line: string) => lines.push(line) },
  );
  const cause = new Error('the password hunter2 was refused');
  log.error({ err: new Error('cannot connect', { cause }) }, 'a message with hunter2');
  log.child({ token: 'hunter2' }).info({ nested: { deep: ['with "quotes"'] } });
  const text = lines.join('');
  expect(lines).toHaveLength(2);
  expect(text).not.toMatch(/hunter2|with \\"quotes/);
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { msg: 'a message with [redacted]', err: { stack: expect.stringContaining('log.test.ts') } },
    { token: '[redacted]', nested: { deep: ['[redacted]'] } },
  ]);
});
