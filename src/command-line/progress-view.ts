import { SingleBar } from 'cli-progress';
import type { JobFactsFragment } from './generated/graphql.ts';
import { chooseEndColor, isTerminal } from './job-state.ts';
import type { Output } from './output.ts';
import { formatBar, formatEnd, formatProgress } from './progress-text.ts';
import { toPrintable } from './text.ts';
import type { LinkChange } from './watch-job.ts';

/** Shows the states of a watched job. */
export interface ProgressView {
  show(job: JobFactsFragment): void;
  /** Shows that the connection is lost or back. */
  showLink(change: LinkChange): void;
  /** Leaves the terminal alone until `resume`. */
  pause(): void;
  resume(): void;
  /** Writes what is pending, and restores the terminal. */
  close(): void;
}

/** Creates a bar on a terminal, lines in a pipe, and JSON with `--json`. */
export function createProgressView(output: Output): ProgressView {
  if (output.format === 'json') return createJsonView(output);
  return output.isTerminal ? createBarView(output) : createLineView(output);
}

/** Writes each state of the job as an object on one line. */
function createJsonView(output: Output): ProgressView {
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
    showLink: (change) => sayLink(output, change),
    pause() {
      isPaused = true;
    },
    resume,
    close: resume,
  };
}

/** The shortest time between two lines, in milliseconds. */
const LINE_INTERVAL_MS = 1_000;

/** Writes a line when something has changed, at most one a second, and one for the end. */
function createLineView(output: Output): ProgressView {
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
        write(formatEnd(job));
        return;
      }
      const line = formatProgress(job);
      const wait = lastAt + LINE_INTERVAL_MS - performance.now();
      if (wait <= 0) {
        write(line);
        return;
      }
      clearTimeout(waiting?.timer);
      waiting = { line, timer: setTimeout(write, wait, line) };
    },
    showLink: (change) => sayLink(output, change),
    pause() {},
    resume() {},
    close() {
      if (waiting !== undefined) write(waiting.line);
    },
  };
}

/** Draws a bar, and writes a line below it for the end. */
function createBarView(output: Output): ProgressView {
  let job: JobFactsFragment | undefined;
  let shownAt = 0;
  let note: { readonly text: string; readonly until: number } | null = null;
  let isPaused = false;
  let bar: SingleBar | undefined;

  function draw(): string {
    if (job === undefined) return '';
    const now = performance.now();
    const shown = note !== null && now < note.until ? note.text : null;
    return formatBar(job, {
      width: output.width() ?? 80,
      secondsSince: (now - shownAt) / 1_000,
      note: shown,
    });
  }

  function start(): void {
    bar = new SingleBar({
      format: draw,
      stream: process.stdout,
      hideCursor: true,
      // Ctrl-C is handled by followJob.
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
      output.write(output.colored(chooseEndColor(job), formatEnd(job)));
    },
    showLink(change) {
      const until = change.isLost ? Number.POSITIVE_INFINITY : performance.now() + BACK_MS;
      note = { text: describeLink(change), until };
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

/** How long the bar shows that the connection is back, in milliseconds. */
const BACK_MS = 5_000;

/** The most events that are listed after a connection was lost; the newest. */
const MOST_LISTED = 20;

/** Writes that the connection is lost, or that it is back and what happened meanwhile. */
function sayLink(output: Output, change: LinkChange): void {
  output.say(describeLink(change));
  if (change.isLost) return;
  const { meanwhile } = change;
  const left = meanwhile.length - MOST_LISTED;
  if (left > 0) output.say(`  … ${left} more before these`);
  for (const line of meanwhile.slice(-MOST_LISTED)) output.say(`  ${toPrintable(line)}`);
}

function describeLink(change: LinkChange): string {
  if (change.isLost) return `Connection lost, reconnecting: ${toPrintable(change.problem)}`;
  if (change.gap === null) return 'Reconnected, nothing missed.';
  return `Reconnected, with a gap: ${toPrintable(change.gap)}`;
}
