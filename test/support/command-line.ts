import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

/** What a command has left when it ended. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** The command `blade` in a process of its own, while it runs. */
export interface RunningCommand {
  readonly child: ChildProcessWithoutNullStreams;
  /** Waits until it has written something like this, on either stream; fails when it ends before. */
  until(pattern: RegExp): Promise<void>;
  ended: Promise<Ended>;
}

const MAIN = 'src/command-line/main.ts';

const running = new Set<ChildProcessWithoutNullStreams>();

/** @param environment all that the command is given, but for the PATH. */
export function startBlade(
  args: readonly string[],
  environment: Record<string, string> = {},
  input?: string,
): RunningCommand {
  return watched(spawn(process.execPath, [MAIN, ...args], { env: environmentOf(environment) }), input ?? '');
}

/** Runs the command to its end. */
export function runBlade(
  args: readonly string[],
  environment: Record<string, string> = {},
  input?: string,
): Promise<Ended> {
  return startBlade(args, environment, input).ended;
}

/** Whether this machine can give the command a terminal: `script` of util-linux. */
export const hasTerminal = /util-linux/.test(
  spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout ?? '',
);

/** Why tests on a terminal are skipped, for their names. */
export const needsTerminal = hasTerminal
  ? ''
  : ' (skipped: there is no script of util-linux on this machine)';

/** Starts the command on a pseudo terminal: what is written to the process is typed, and all output is in `out`. */
export function startOnTerminal(
  args: readonly string[],
  environment: Record<string, string>,
  columns = 100,
): RunningCommand {
  const command = ['exec', process.execPath, MAIN, ...args].map((part) => `'${part}'`).join(' ');
  const line = `stty cols ${columns}; ${command.replace("'exec'", 'exec')}`;
  const env = environmentOf({ SHELL: '/bin/sh', TERM: 'xterm', ...environment });
  return watched(spawn('script', ['-qfec', line, '/dev/null'], { env }));
}

/** Kills what a test that failed left running. */
export async function killCommands(): Promise<void> {
  for (const child of running) {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
}

function environmentOf(environment: Record<string, string>): Record<string, string | undefined> {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  return { PATH, NODE_COMPILE_CACHE, ...environment };
}

/** @param input all of its standard input; what is left out can be written later. */
function watched(child: ChildProcessWithoutNullStreams, input?: string): RunningCommand {
  running.add(child);
  const written = { out: '', err: '' };
  const listeners = new Set<() => void>();
  const gather = (stream: 'out' | 'err') => (text: string) => {
    written[stream] += text;
    for (const listener of listeners) listener();
  };
  child.stdout.setEncoding('utf8').on('data', gather('out'));
  child.stderr.setEncoding('utf8').on('data', gather('err'));
  child.stdin.on('error', () => {}); // It may end without having read it.
  if (input !== undefined) child.stdin.end(input);
  const ended = once(child, 'close').then(([code]): Ended => {
    running.delete(child);
    return { code, ...written };
  });
  return {
    child,
    ended,
    async until(pattern) {
      const isThere = () => pattern.test(written.out) || pattern.test(written.err);
      const { promise, resolve } = Promise.withResolvers<void>();
      const listener = () => {
        if (isThere()) resolve();
      };
      listeners.add(listener);
      listener();
      const failed = ended.then((end) => {
        if (!isThere()) throw new Error(`it ended without ${pattern}: ${JSON.stringify(end)}`);
      });
      await Promise.race([promise, failed]).finally(() => listeners.delete(listener));
    },
  };
}
