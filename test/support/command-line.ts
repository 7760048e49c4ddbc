import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'vitest';

/** The exit code and the output of a command. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** The command `blade` in its own process, while it runs. */
export interface RunningCommand {
  readonly child: ChildProcessWithoutNullStreams;
  /** Waits until either stream matches the pattern; rejects if the command ends first. */
  until(pattern: RegExp): Promise<void>;
  ended: Promise<Ended>;
}

/** The command with an environment that every call shares. */
export interface Blade {
  /** Runs the command to its end. */
  (...args: readonly string[]): Promise<Ended>;
  /** Runs a command that has to succeed, with `--json`, and returns the one document that it writes. */
  // biome-ignore lint/suspicious/noExplicitAny: each command has its own fields
  json(...args: readonly string[]): Promise<any>;
  start(...args: readonly string[]): RunningCommand;
  startOnTerminal(args: readonly string[], options?: TerminalOptions): RunningCommand;
}

export interface TerminalOptions {
  readonly columns?: number;
  /** Variables beside the shared ones. */
  readonly environment?: Record<string, string>;
}

export function createBlade(environment: Record<string, string>): Blade {
  const run = (...args: readonly string[]) => runBlade(args, environment);
  return Object.assign(run, {
    async json(...args: readonly string[]) {
      const { code, out, err } = await run('--json', ...args);
      expect({ code, err }).toEqual({ code: 0, err: expect.not.stringContaining('Error') });
      expect(out.trimEnd().split('\n')).toHaveLength(1);
      return JSON.parse(out);
    },
    start: (...args: readonly string[]) => startBlade(args, environment),
    startOnTerminal: (args: readonly string[], { columns = 100, environment: more }: TerminalOptions = {}) =>
      startOnTerminal(args, { ...environment, ...more }, columns),
  });
}

const MAIN = 'src/command-line/main.ts';

const running = new Set<ChildProcessWithoutNullStreams>();

/** @param environment all variables of the command, beside the PATH. */
export function startBlade(
  args: readonly string[],
  environment: Record<string, string> = {},
  input?: string,
): RunningCommand {
  return watched(
    spawn(process.execPath, [MAIN, ...args], { env: createEnvironment(environment) }),
    input ?? '',
  );
}

/** Runs the command to its end. */
export function runBlade(
  args: readonly string[],
  environment: Record<string, string> = {},
  input?: string,
): Promise<Ended> {
  return startBlade(args, environment, input).ended;
}

/** Whether this machine has `script` of util-linux, which gives the command a terminal. */
export const hasTerminal = /util-linux/.test(
  spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout ?? '',
);

/** Why tests on a terminal are skipped, for their names. */
export const needsTerminal = hasTerminal ? '' : ' (skipped: no script of util-linux on this machine)';

/** Starts the command on a pseudo terminal: input to the process is typed, and all output is in `out`. */
function startOnTerminal(
  args: readonly string[],
  environment: Record<string, string>,
  columns: number,
): RunningCommand {
  const command = ['exec', process.execPath, MAIN, ...args].map((part) => `'${part}'`).join(' ');
  const line = `stty cols ${columns}; ${command.replace("'exec'", 'exec')}`;
  const env = createEnvironment({ SHELL: '/bin/sh', TERM: 'xterm', ...environment });
  return watched(spawn('script', ['-qfec', line, '/dev/null'], { env }));
}

/** Kills what failed tests left running. */
export async function killCommands(): Promise<void> {
  for (const child of running) {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
}

function createEnvironment(environment: Record<string, string>): Record<string, string | undefined> {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  return { PATH, NODE_COMPILE_CACHE, ...environment };
}

/** @param input all of its standard input; without it, a test may write to the process later. */
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
  child.stdin.on('error', () => {}); // The command may end without reading its input.
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
