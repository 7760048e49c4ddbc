import 'uplot/dist/uPlot.min.css';
import { useComputedColorScheme } from '@mantine/core';
import { useEffect, useMemo, useRef } from 'react';
import UPlot from 'uplot';
import { formatCompact, formatCount, formatDuration } from '../format/format.ts';
import type { JobRowFragment } from '../generated/graphql.ts';
import { type FragmentType, readFragment } from '../generated/index.ts';
import { isEnded } from '../parts/status.tsx';
import { PartitionRow } from './partitions.tsx';
import { averageByPartition, ratesOf, samplesOf } from './throughput.ts';

interface ThroughputPlotProps {
  readonly job: JobRowFragment;
  readonly partitions: readonly FragmentType<typeof PartitionRow>[];
}

const HEIGHT = 190;

/** What may lie between two marks of the time axis. */
const SECONDS_BETWEEN_MARKS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400,
];

/**
 * Rows a second over the time of a job. What the dashboard has watched is drawn as it was; for the time before, and for
 * a job that ended unwatched, the rows of each partition are spread over the time that it ran.
 */
export function ThroughputPlot({ job, partitions }: ThroughputPlotProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | null>(null);
  const colors = useComputedColorScheme();
  const data = useMemo(() => plotData(job, partitions), [job, partitions]);
  const hasData = data !== null;

  // biome-ignore lint/correctness/useExhaustiveDependencies: other colours are drawn anew
  useEffect(() => {
    if (box.current === null || !hasData) return;
    const element = box.current;
    const created = new UPlot(plotOptions(element), [[], [], []], element);
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

  // biome-ignore lint/correctness/useExhaustiveDependencies: a plot in other colours needs the data again
  useEffect(() => {
    if (data !== null) plot.current?.setData(data.lines);
  }, [data, colors]);

  if (data === null) {
    return (
      <p className="faint">
        {isEnded(job.state) ? 'The job ended before it read a row.' : 'Drawn as soon as rows are read.'}
      </p>
    );
  }
  return (
    <figure className="plot">
      <div ref={box} role="img" aria-label={data.summary} className="plot-box" />
      <figcaption className="faint">
        {data.hasSamples && (
          <span className="legend" data-line="watched">
            as watched
          </span>
        )}
        {data.hasAverages && (
          <span className="legend" data-line="average">
            mean of each partition{data.hasSamples ? ', before the dashboard watched' : ''}
          </span>
        )}
      </figcaption>
    </figure>
  );
}

function plotData(job: JobRowFragment, partitions: ThroughputPlotProps['partitions']) {
  const { startedAt, progress, state, id } = job;
  if (startedAt === null || progress.elapsedSeconds === null || progress.processedItems === 0) return null;
  const samples = samplesOf(id);
  const rates = ratesOf(samples);
  const until = samples[0] ?? { at: progress.elapsedSeconds, processedItems: progress.processedItems };
  const runs = partitions.map((partition) => readFragment(PartitionRow, partition));
  const averages = averageByPartition(startedAt, runs, until);
  const hasAverages = averages.some(({ itemsPerSecond }) => itemsPerSecond > 0);
  const averageLine: UPlot.AlignedData = [
    averages.map(({ at }) => at),
    averages.map(({ itemsPerSecond }, index) =>
      // The last step has to reach its end.
      index === averages.length - 1 ? (averages[index - 1]?.itemsPerSecond ?? 0) : itemsPerSecond,
    ),
  ];
  const watchedLine: UPlot.AlignedData = [
    rates.map(({ at }) => at),
    rates.map(({ itemsPerSecond }) => itemsPerSecond),
  ];
  return {
    lines: UPlot.join([hasAverages ? averageLine : [[], []], watchedLine]),
    hasSamples: rates.length > 0,
    hasAverages,
    summary: `Rows a second over ${formatDuration(progress.elapsedSeconds)}: ${
      isEnded(state) ? 'on average' : 'now'
    } ${formatCount(progress.itemsPerSecond)}, at most ${formatCount(
      Math.max(0, ...rates.map(({ itemsPerSecond }) => itemsPerSecond), ...(averageLine[1] as number[])),
    )}`,
  };
}

function plotOptions(element: HTMLElement): UPlot.Options {
  const style = getComputedStyle(element);
  const color = (name: string) => style.getPropertyValue(name);
  const axis = {
    stroke: color('--plot-text'),
    font: `11px ${style.fontFamily}`,
    grid: { stroke: color('--plot-grid'), width: 1 },
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
        incrs: SECONDS_BETWEEN_MARKS,
        values: (_plot, splits) => splits.map((seconds) => formatDuration(seconds)),
      },
      { ...axis, size: 54, values: (_plot, splits) => splits.map(formatCompact) },
    ],
    series: [
      {},
      {
        stroke: color('--plot-average'),
        width: 1.5,
        dash: [5, 4],
        spanGaps: true,
        points: { show: false },
        ...(UPlot.paths.stepped === undefined ? {} : { paths: UPlot.paths.stepped({ align: 1 }) }),
      },
      {
        stroke: color('--plot-line'),
        fill: color('--plot-fill'),
        width: 1.5,
        spanGaps: true,
        points: { show: false },
      },
    ],
  };
}
