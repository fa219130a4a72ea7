import { Histogram, type MetricObjectWithValues, type MetricValueWithName } from "@prometheus-io/client";

type Described = { readonly name: string; readonly help: string; readonly labelNames: string[] };
type Values = MetricObjectWithValues<MetricValueWithName<string>>;

/**
 * One series of a histogram: the number of values in each bucket, and their sum. The last bucket has no upper bound.
 */
export type Distribution = {
  readonly labels: Readonly<Record<string, string>>;
  readonly counts: Iterable<number>;
  readonly sum: number;
};

/** A histogram whose values are counted elsewhere, and read on each scrape. */
export class ReadHistogram extends Histogram<string> {
  readonly #described: Described;
  readonly #buckets: readonly number[];
  readonly #read: () => Iterable<Distribution>;

  constructor(described: Described, buckets: readonly number[], read: () => Iterable<Distribution>) {
    super({ ...described, buckets: [...buckets], registers: [] });
    this.#described = described;
    this.#buckets = buckets;
    this.#read = read;
  }

  override async get(): Promise<Values> {
    const { name, help } = this.#described;
    const values = [...this.#read()].flatMap((each) => this.#valuesOf(name, each));
    return { name, help, type: "histogram", aggregator: "sum", values } as unknown as Values;
  }

  /** Called by the registry in place of `get` when it writes text. */
  getForPromString(): Promise<Values> {
    return this.get();
  }

  #valuesOf(name: string, { labels, counts, sum }: Distribution) {
    let count = 0;
    const buckets = Array.from(counts, (value, index) => {
      count += value;
      const le = this.#buckets[index] ?? "+Inf";
      return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: count };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: sum },
      { metricName: `${name}_count`, labels, value: count },
    ];
  }
}
