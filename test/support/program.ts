import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type ApiClient, createApiClient } from './api-client.ts';

/** The program in its own process, which can be killed. */
export interface Program {
  /** The address of its API or, without that role, of its health. */
  readonly url: string;
  readonly client: ApiClient;
  /** Every line of its output so far. */
  readonly lines: readonly string[];
  /** Sends a signal, and does not wait. */
  signal(signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): void;
  /** Sends a signal, and waits until the process has ended. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<{ code: number | null }>;
}

const running = new Set<ChildProcess>();

/**
 * Starts `src/main.ts` and waits until it serves its API or, without that role, its health.
 * @param settings such as `BLADE_DATA_FOLDER`; the program inherits none from this process.
 */
export async function startProgram(settings: Record<string, string>): Promise<Program> {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const child = spawn(process.execPath, ['src/main.ts'], {
    env: { PATH, NODE_COMPILE_CACHE, PORT: '0', BLADE_DEMO_DATA: 'false', ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const exited = once(child, 'exit');
  void exited.then(() => running.delete(child));
  const lines: string[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        lines.push(line);
        const served = /(?:GraphQL and GraphiQL are|health is) at ([^"\s]+)/.exec(line)?.[1];
        if (served !== undefined) resolve(served);
      });
    }
    void exited.then(() => reject(new Error(`The program ended:\n${lines.join('\n')}`)));
  });
  const client = createApiClient(url);
  return {
    url,
    client,
    lines,
    signal: (signal) => void child.kill(signal),
    async end(signal) {
      await client.close();
      child.kill(signal);
      const [code] = await exited;
      return { code };
    },
  };
}

/** Kills what failed tests left running. */
export async function killPrograms(): Promise<void> {
  for (const child of running) {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
}
