import { pino } from 'pino';
import { expect, test } from 'vitest';
import { StartedParts } from '../../src/application/started-parts.ts';

function startParts() {
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => lines.push(line) });
  return { parts: new StartedParts(log), lines };
}

test('parts stop in reverse order, each after the one that started later has stopped', async () => {
  const { parts } = startParts();
  const events: string[] = [];
  for (const name of ['database', 'queue', 'server']) {
    parts.add(name, async () => {
      events.push(`${name} stops`);
      await new Promise(setImmediate);
      events.push(`${name} has stopped`);
    });
  }
  await parts.stop();
  expect(events).toEqual(
    ['server', 'queue', 'database'].flatMap((name) => [`${name} stops`, `${name} has stopped`]),
  );
});

test('a part that fails to stop is logged with its error, and the rest still stop', async () => {
  const { parts, lines } = startParts();
  const stopped: string[] = [];
  parts.add('first', (part) => stopped.push(part));
  parts.add('second', async () => {
    throw new Error('the queue does not answer');
  });
  parts.add('third', () => {
    throw new Error('the port is stuck');
  });
  parts.add('fourth', (part) => stopped.push(part));
  await parts.stop();
  expect(stopped).toEqual(['fourth', 'first']);
  expect(lines.map((line) => JSON.parse(line).err.message)).toEqual([
    'the port is stuck',
    'the queue does not answer',
  ]);
});

test('parts that were stopped are not stopped again', async () => {
  const { parts } = startParts();
  let stops = 0;
  parts.add(null, () => stops++);
  await Promise.all([parts.stop(), parts.stop()]);
  await parts.stop();
  expect(stops).toBe(1);
});
