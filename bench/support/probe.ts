// Loaded into the measured program with --import: reports to its parent what only the process itself knows.
import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

/** What the program reports: delays since the last reading, the rest since its start. */
export interface ProbeReading {
  /** Milliseconds that the main thread's event loop was late. */
  readonly delayP50: number;
  readonly delayP99: number;
  readonly delayMax: number;
  /** Seconds of processor time of all threads, since the start. */
  readonly processorSeconds: number;
  /** The most bytes that were in memory at once. */
  readonly peakBytes: number;
}

if (isMainThread && process.send !== undefined) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    // The histogram counts the time between two ticks, resolution included.
    const late = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - 1);
    const reading: ProbeReading = {
      delayP50: late(delay.percentile(50)),
      delayP99: late(delay.percentile(99)),
      delayMax: late(delay.max),
      processorSeconds: (user + system) / 1e6,
      peakBytes: peakBytes(),
    };
    delay.reset();
    process.send?.(reading);
  });
  process.channel?.unref();
}

function peakBytes(): number {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    return Number(kilobytes) * 1024;
  } catch {
    return process.resourceUsage().maxRSS * 1024;
  }
}
