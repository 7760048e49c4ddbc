import { Agent, request } from 'node:http';

/** The outcome of many requests. */
export interface LoadFound {
  readonly perSecond: number;
  /** The milliseconds that each took. */
  readonly times: readonly number[];
}

/** Sends requests over kept connections, on each the next as soon as it has its answer. */
export async function sendMany(
  url: string,
  body: string,
  { count, connections }: { count: number; connections: number },
): Promise<LoadFound> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const times: number[] = [];
  let left = count;
  const start = performance.now();
  try {
    await Promise.all(
      Array.from({ length: connections }, async () => {
        while (left-- > 0) times.push(await sendOne(agent, url, body));
      }),
    );
    return { perSecond: (times.length / (performance.now() - start)) * 1000, times };
  } finally {
    agent.destroy();
  }
}

/** Sends a request. @returns the milliseconds until the whole answer has arrived. */
export function sendOne(agent: Agent, url: string, body: string, authorization?: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const startedAt = performance.now();
  const outgoing = request(
    url,
    {
      agent,
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        ...(authorization === undefined ? {} : { authorization }),
      },
    },
    (response) => {
      let head = '';
      response.on('data', (chunk: Buffer) => {
        if (head.length < 200) head += chunk.toString('latin1', 0, 200);
      });
      response.once('end', () => {
        if (response.statusCode === 200 && !head.startsWith('{"errors"'))
          resolve(performance.now() - startedAt);
        else reject(new Error(`the server answered ${response.statusCode}: ${head}`));
      });
    },
  );
  outgoing.once('error', reject);
  outgoing.end(body);
  return promise;
}
