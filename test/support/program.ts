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

/** How to start a program, beside its settings. */
export interface ProgramOptions {
  /** The user to run as, if this process may choose one. */
  readonly userId?: number | undefined;
  /** The largest file in kilobytes: writing more fails, as on a full disk. */
  readonly maxFileKilobytes?: number | undefined;
}

/** The program ended before it was ready. */
export class ProgramEndedError extends Error {
  override readonly name = 'ProgramEndedError';
  readonly code: number | null;
  /** Its standard error. */
  readonly complaint: string;

  constructor(code: number | null, complaint: string, lines: readonly string[]) {
    super(`The program ended:\n${lines.join('\n')}`);
    this.code = code;
    this.complaint = complaint;
  }
}

const running = new Set<ChildProcess>();

/**
 * Starts `src/main.ts` and waits until it serves its API or, without that role, its health.
 * @param settings such as `BLADE_DATA_FOLDER`; the program inherits none from this process.
 * @throws ProgramEndedError if it ends instead.
 */
export async function startProgram(
  settings: Record<string, string>,
  options: ProgramOptions = {},
): Promise<Program> {
  const { child, exited, lines, url: served } = launchProgram(settings, options);
  const url = await served;
  const client = createApiClient(url);
  return {
    url,
    client,
    lines,
    signal: (signal) => void child.kill(signal),
    async end(signal) {
      await client.close();
      child.kill(signal);
      return { code: await exited };
    },
  };
}

/** Starts the program, and kills it after a while. */
export async function startAndKillProgram(
  settings: Record<string, string>,
  afterMilliseconds: number,
): Promise<void> {
  const { child, exited, url } = launchProgram(settings, {});
  url.catch(() => {});
  setTimeout(() => child.kill('SIGKILL'), afterMilliseconds);
  await exited;
}

function launchProgram(settings: Record<string, string>, options: ProgramOptions) {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const { maxFileKilobytes, userId } = options;
  const program = [process.execPath, 'src/main.ts'];
  const limit = `ulimit -f ${(maxFileKilobytes ?? 0) * 2} && exec "$0" "$@"`;
  const [command = '', ...args] = maxFileKilobytes === undefined ? program : ['sh', '-c', limit, ...program];
  const child = spawn(command, args, {
    ...(userId === undefined ? {} : { uid: userId, gid: userId }),
    env: { PATH, NODE_COMPILE_CACHE, PORT: '0', BLADE_DEMO_DATA: 'false', ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const lines: string[] = [];
  const complaints: string[] = [];
  const exited = once(child, 'close').then(([code]: (number | null)[]) => code ?? null);
  void exited.then(() => running.delete(child));
  const url = new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        lines.push(line);
        if (stream === child.stderr) complaints.push(line);
        const served = /(?:GraphQL and GraphiQL are|health is) at ([^"\s]+)/.exec(line)?.[1];
        if (served !== undefined) resolve(served);
      });
    }
    void exited.then((code) => reject(new ProgramEndedError(code, complaints.join('\n'), lines)));
  });
  return { child, exited, lines, url };
}

/** Kills what failed tests left running. */
export async function killPrograms(): Promise<void> {
  for (const child of running) {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
}
