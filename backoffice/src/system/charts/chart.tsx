import "uplot/dist/uPlot.min.css";
import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useRef } from "react";
import UPlot from "uplot";

/** A line of a chart. `null` is a gap. */
export type Line = {
  readonly name: string;
  readonly values: readonly (number | null)[];
  /** A colour token. */
  readonly color: `--${string}`;
  readonly isFilled?: boolean;
  readonly isDashed?: boolean;
};

type ChartOptions = {
  /** In seconds since 1970. */
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  readonly summary: string;
  readonly format: (value: number) => string;
};

const height = 156;
const font = "11px Inter, sans-serif";
/** Steps of the axis of time, in seconds. Labels have minutes, so a shorter step would repeat them. */
const timeSteps = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440].map((minutes) => minutes * 60);
/** The axis of time is at least as long, in seconds: the first points of an instance would have no label. */
const shortest = 120;
const hour = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

/** Lines over time on a canvas. Its summary is read in its place, and its numbers are in a table beside it. */
export default function Chart({ times, lines, summary, format }: ChartOptions) {
  const container = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot>(undefined);
  const scheme = useComputedColorScheme("light", { getInitialValueInEffect: false });
  const data = [times, ...lines.map(({ values }) => values)] as UPlot.AlignedData;
  const latest = useRef({ data, lines, format });
  latest.current = { data, lines, format };

  useEffect(() => {
    const element = container.current;
    if (!element) return;
    const { lines, data, format } = latest.current;
    const created = new UPlot(optionsOf(element, lines, format), data, element);
    plot.current = created;
    const resized = new ResizeObserver(() => created.setSize({ width: element.clientWidth, height }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      created.destroy();
    };
  }, [scheme]);
  useEffect(() => plot.current?.setData(latest.current.data), [data]);

  return <div ref={container} className="chart-plot" role="img" aria-label={summary} />;
}

/** The indexes of the points without a neighbour. */
const isolatedPoints: UPlot.Series.Points.Filter = (plot, series) => {
  const values = plot.data[series] ?? [];
  const isGap = (value: number | null | undefined) => value === null || value === undefined;
  return [...values.keys()].filter(
    (index) => !isGap(values[index]) && isGap(values[index - 1]) && isGap(values[index + 1]),
  );
};

function optionsOf(element: HTMLElement, lines: readonly Line[], format: ChartOptions["format"]): UPlot.Options {
  const tokens = getComputedStyle(document.documentElement);
  const colorOf = (token: string) => tokens.getPropertyValue(token).trim();
  const axis = { stroke: colorOf("--dim"), font, ticks: { show: false }, gap: 6 };
  return {
    width: element.clientWidth,
    height,
    // Half of a label of the time may be at the right of the last point.
    padding: [10, 20, 0, 0],
    cursor: { y: false, points: { size: 7 } },
    legend: { show: false },
    scales: {
      x: { range: (_, first, last) => [Math.min(first, last - shortest), last] },
      y: { range: (_, __, highest) => [0, (highest || 1) * 1.12] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 26,
        space: 70,
        incrs: timeSteps,
        values: (_, seconds) => seconds.map((at) => hour.format(at * 1_000)),
      },
      {
        ...axis,
        grid: { stroke: colorOf("--line"), width: 1 },
        size: 46,
        space: 34,
        values: (_, values) => values.map(format),
      },
    ],
    series: [
      {},
      ...lines.map(({ name, color, isFilled, isDashed }) => ({
        label: name,
        stroke: colorOf(color),
        width: 1.75,
        // A point between two gaps has no line.
        points: { size: 5, fill: colorOf(color), filter: isolatedPoints },
        ...(isDashed && { dash: [5, 3] }),
        ...(isFilled && { fill: `${colorOf(color)}26` }),
      })),
    ],
  };
}
