import 'uplot/dist/uPlot.min.css';
import { useComputedColorScheme } from '@mantine/core';
import { useEffect, useMemo, useRef } from 'react';
import UPlot from 'uplot';
import { formatCompact, formatCount, formatDuration } from '../format/format.ts';
import type { JobRowFragment, PartitionRowFragment } from '../generated/graphql.ts';
import { isTerminal } from '../parts/status.tsx';
import { Faint } from '../parts/text.tsx';
import { averageByPartition, computeRates } from './rates.ts';
import { findSamples, joinSamples } from './throughput.ts';
import styles from './throughput-plot.module.css';

interface ThroughputPlotProps {
  readonly job: JobRowFragment;
  /** How fast the job was before it was watched here. */
  readonly stored: readonly { readonly elapsedSeconds: number; readonly processedItems: number }[];
  readonly partitions: readonly PartitionRowFragment[];
}

const HEIGHT = 190;

/** Steps of the time axis. */
const AXIS_STEPS_SECONDS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400,
];

/**
 * Plots rows per second over the time of a job: as measured, or, for an older job without stored measurements, as the average
 * of each partition over its run.
 */
export function ThroughputPlot({ job, stored, partitions }: ThroughputPlotProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | null>(null);
  const colors = useComputedColorScheme();
  const data = useMemo(() => computePlot(job, stored, partitions), [job, stored, partitions]);
  const hasData = data !== null;

  // biome-ignore lint/correctness/useExhaustiveDependencies: other colors need a new plot
  useEffect(() => {
    if (box.current === null || !hasData) return;
    const element = box.current;
    const created = new UPlot(createPlotOptions(element), [[], [], []], element);
    plot.current = created;
    const observer = new ResizeObserver(() =>
      created.setSize({ width: element.clientWidth, height: HEIGHT }),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      created.destroy();
      plot.current = null;
    };
  }, [hasData, colors]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a plot in other colors needs the data again
  useEffect(() => {
    if (data !== null) plot.current?.setData(data.lines);
  }, [data, colors]);

  if (data === null) {
    return (
      <Faint>
        {isTerminal(job.state) ? 'The job ended before it read a row.' : 'Shown once rows are read.'}
      </Faint>
    );
  }
  return (
    <figure className={styles.plot}>
      <div ref={box} role="img" aria-label={data.summary} className={styles.box} />
      <figcaption>
        {data.hasSamples && (
          <span className={styles.legend} data-line="measured">
            measured
          </span>
        )}
        {data.hasAverages && (
          <span className={styles.legend} data-line="average">
            average of each partition{data.hasSamples ? ', before it was measured' : ''}
          </span>
        )}
      </figcaption>
    </figure>
  );
}

function computePlot(
  job: JobRowFragment,
  stored: ThroughputPlotProps['stored'],
  partitions: ThroughputPlotProps['partitions'],
) {
  const { startedAt, progress, state, id } = job;
  if (startedAt === null || progress.elapsedSeconds === null || progress.processedItems === 0) return null;
  const samples = joinSamples(stored, findSamples(id));
  const rates = computeRates(samples);
  const until = samples[0] ?? { at: progress.elapsedSeconds, processedItems: progress.processedItems };
  const averages = averageByPartition(startedAt, partitions, until);
  const hasAverages = averages.some(({ itemsPerSecond }) => itemsPerSecond > 0);
  const averageLine: UPlot.AlignedData = [
    averages.map(({ at }) => at),
    averages.map(({ itemsPerSecond }, index) =>
      // The last step must reach its end.
      index === averages.length - 1 ? (averages[index - 1]?.itemsPerSecond ?? 0) : itemsPerSecond,
    ),
  ];
  const measuredLine: UPlot.AlignedData = [
    rates.map(({ at }) => at),
    rates.map(({ itemsPerSecond }) => itemsPerSecond),
  ];
  return {
    lines: UPlot.join([hasAverages ? averageLine : [[], []], measuredLine]),
    hasSamples: rates.length > 0,
    hasAverages,
    summary: `Rows per second over ${formatDuration(progress.elapsedSeconds)}: ${
      isTerminal(state) ? 'average' : 'now'
    } ${formatCount(progress.itemsPerSecond)}, peak ${formatCount(
      Math.max(0, ...rates.map(({ itemsPerSecond }) => itemsPerSecond), ...(averageLine[1] as number[])),
    )}`,
  };
}

function createPlotOptions(element: HTMLElement): UPlot.Options {
  const style = getComputedStyle(element);
  const readColor = (name: string) => style.getPropertyValue(name);
  const axis = {
    stroke: readColor('--plot-text'),
    font: `11px ${style.fontFamily}`,
    grid: { stroke: readColor('--plot-grid'), width: 1 },
    ticks: { show: false },
  };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false } },
    scales: {
      x: { time: false },
      y: { range: (_plot, _min, max) => [0, Math.max(1, (max ?? 0) * 1.1)] },
    },
    axes: [
      {
        ...axis,
        size: 28,
        incrs: AXIS_STEPS_SECONDS,
        values: (_plot, splits) => splits.map((seconds) => formatDuration(seconds)),
      },
      { ...axis, size: 54, values: (_plot, splits) => splits.map(formatCompact) },
    ],
    series: [
      {},
      {
        stroke: readColor('--plot-average'),
        width: 1.5,
        dash: [5, 4],
        spanGaps: true,
        points: { show: false },
        ...(UPlot.paths.stepped === undefined ? {} : { paths: UPlot.paths.stepped({ align: 1 }) }),
      },
      {
        stroke: readColor('--plot-line'),
        fill: readColor('--plot-fill'),
        width: 1.5,
        spanGaps: true,
        points: { show: false },
      },
    ],
  };
}
