import { SingleBar } from 'cli-progress';
import type { JobFactsFragment } from './generated/graphql.ts';
import type { Output } from './output.ts';
import { barLine, endLine, progressLine } from './progress-text.ts';
import { printable } from './text.ts';
import { isTerminal } from './watch-job.ts';

/** Shows a job that is watched, state by state, to its end. */
export interface ProgressView {
  show(job: JobFactsFragment): void;
  /** Says that the connection is lost, and why; null when it is back. */
  showConnection(problem: string | null): void;
  /** Leaves the terminal to others, until `resume`. */
  pause(): void;
  resume(): void;
  /** Shows what is still to be shown, and gives the terminal back. */
  close(): void;
}

/** A bar on a terminal, lines in a pipe, JSON where it was asked for. */
export function createProgressView(output: Output): ProgressView {
  if (output.format === 'json') return jsonView(output);
  return output.isTerminal ? barView(output) : lineView(output);
}

/** One object a line, for each state of the job. */
function jsonView(output: Output): ProgressView {
  const waiting: JobFactsFragment[] = [];
  let isPaused = false;
  function resume(): void {
    isPaused = false;
    for (const job of waiting.splice(0)) output.writeJson(job);
  }
  return {
    show(job) {
      if (isPaused) waiting.push(job);
      else output.writeJson(job);
    },
    showConnection: (problem) => output.say(connectionText(problem)),
    pause() {
      isPaused = true;
    },
    resume,
    close: resume,
  };
}

/** The least time between two lines, in milliseconds. */
const LINE_INTERVAL_MS = 1_000;

/** A line when something has changed, at most one a second, and how the job has ended. */
function lineView(output: Output): ProgressView {
  let lastLine = '';
  let lastAt = Number.NEGATIVE_INFINITY;
  let waiting: { readonly line: string; readonly timer: NodeJS.Timeout } | undefined;

  function write(line: string): void {
    clearTimeout(waiting?.timer);
    waiting = undefined;
    if (line === lastLine) return;
    lastLine = line;
    lastAt = performance.now();
    output.write(line);
  }

  return {
    show(job) {
      if (isTerminal(job.state)) {
        write(endLine(job));
        return;
      }
      const line = progressLine(job);
      const wait = lastAt + LINE_INTERVAL_MS - performance.now();
      if (wait <= 0) {
        write(line);
        return;
      }
      clearTimeout(waiting?.timer);
      waiting = { line, timer: setTimeout(write, wait, line) };
    },
    showConnection: (problem) => output.say(connectionText(problem)),
    pause() {},
    resume() {},
    close() {
      if (waiting !== undefined) write(waiting.line);
    },
  };
}

/** A bar that is drawn over, and how the job has ended below it. */
function barView(output: Output): ProgressView {
  let job: JobFactsFragment | undefined;
  let shownAt = 0;
  let problem: string | null = null;
  let isPaused = false;
  let bar: SingleBar | undefined;

  function line(): string {
    if (job === undefined) return '';
    const secondsSince = (performance.now() - shownAt) / 1_000;
    return barLine(job, { width: output.width() ?? 80, secondsSince, problem });
  }

  function start(): void {
    bar = new SingleBar({
      format: line,
      stream: process.stdout,
      hideCursor: true,
      // Ctrl-C is for who follows the job.
      gracefulExit: false,
    });
    bar.start(1, 0);
  }

  function stop(): void {
    bar?.stop();
    bar = undefined;
  }

  return {
    show(next) {
      job = next;
      shownAt = performance.now();
      if (isPaused) return;
      if (bar === undefined) start();
      if (!isTerminal(job.state)) return;
      stop();
      output.write(output.colored(COLORS[job.state] ?? 'bold', endLine(job)));
    },
    showConnection(next) {
      problem = next === null ? null : connectionText(next);
    },
    pause() {
      isPaused = true;
      stop();
    },
    resume() {
      isPaused = false;
      if (job !== undefined) this.show(job);
    },
    close: stop,
  };
}

const COLORS: Readonly<Partial<Record<JobFactsFragment['state'], 'green' | 'red' | 'yellow'>>> = {
  COMPLETED: 'green',
  FAILED: 'red',
  CANCELLED: 'yellow',
};

function connectionText(problem: string | null): string {
  return problem === null ? 'Connected again.' : `Connection lost, trying again: ${printable(problem)}`;
}
