import { Counter, Gauge, type Registry } from "@prometheus-io/client";
import { type Distribution, ReadHistogram } from "./read-histogram.ts";

type Labels = Readonly<Record<string, string | number>>;
/** A value with its labels. */
export type MetricReading = { readonly labels: Labels; readonly value: number };

export type Kinds = ReturnType<typeof kindsIn>;

/** Metric kinds, each created with the function that reads it. */
export const kindsIn = (registry: Registry) => ({
  counter: (name: string, help: string, labelNames: string[], read: () => Iterable<MetricReading>) =>
    new Counter<string>({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        this.reset();
        for (const { labels, value } of read()) this.inc(labels, value);
      },
    }),
  /** `aggregator` defines how the values of several workers are combined. */
  gauge: (
    name: string,
    help: string,
    labelNames: string[],
    aggregator: "sum" | "min" | "max",
    read: () => Iterable<MetricReading>,
  ) =>
    new Gauge<string>({
      name,
      help,
      labelNames,
      aggregator,
      registers: [registry],
      collect() {
        this.reset();
        for (const { labels, value } of read()) this.set(labels, value);
      },
    }),
  histogram: (
    name: string,
    help: string,
    labelNames: string[],
    buckets: readonly number[],
    read: () => Iterable<Distribution>,
  ) => registry.registerMetric(new ReadHistogram({ name, help, labelNames }, buckets, read)),
});
