import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ProbeReading } from './probe.ts';

/** The program in a process of its own, as users run it, with a probe in it. */
export interface MeasuredProgram {
  /** Where its API is. */
  readonly url: string;
  /** Sends an operation. @throws on errors in the answer. */
  send<Result>(query: string, variables?: object): Promise<Result>;
  read(): Promise<ProbeReading>;
  stop(): Promise<void>;
}

/** @param environment settings of the program; of this process's own it is given none but the PATH. */
export async function startMeasuredProgram(environment: Record<string, string>): Promise<MeasuredProgram> {
  const probe = new URL('./probe.ts', import.meta.url).href;
  const child = spawn(process.execPath, ['--import', probe, 'src/main.ts'], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { PATH: process.env.PATH, PORT: '0', BLADE_DEMO_DATA: 'false', LOG_LEVEL: 'info', ...environment },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  const { stdout } = child;
  if (stdout === null) throw new Error('the program has no output');
  const lines: string[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: stdout }).on('line', (line) => {
      lines.push(line);
      if (/"level":[456]0/.test(line)) process.stderr.write(`${line}\n`);
      const served = /(?:GraphQL and GraphiQL are|health is) at ([^"\s]+)/.exec(line)?.[1];
      if (served !== undefined) resolve(served);
    });
    void exited.then(() => reject(new Error(`The program ended:\n${lines.join('\n')}`)));
  });
  return {
    url,
    async send<Result>(query: string, variables: object = {}) {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
        body: JSON.stringify({ query, variables }),
      });
      const { data, errors } = (await response.json()) as { data?: Result; errors?: unknown };
      if (data === undefined || errors !== undefined) throw new Error(JSON.stringify(errors));
      return data;
    },
    async read() {
      const reading = once(child, 'message');
      child.send('read');
      const [message] = await reading;
      return message as ProbeReading;
    },
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
