import { createRequire } from "node:module";
import { names } from "../measurements/rates.ts";
import type { Results } from "../results.ts";
import { spreadOf } from "../spread.ts";
import { slicesOf } from "./targets.ts";

type Chart = { setOption(option: object): void; renderToSVGString(): string; dispose(): void };
type Echarts = { init(dom: null, theme: null, options: object): Chart };

const text = { color: "#57606a", fontFamily: "sans-serif" };
const [ours, others] = ["#0969da", "#8c959f"];

/** The plots, by file name, as SVG; none where echarts is not installed. */
export function plots(results: Results): Readonly<Record<string, string>> {
  let echarts: Echarts;
  try {
    // A dependency of bench only, not of package.json.
    echarts = createRequire(import.meta.url)("echarts");
  } catch {
    console.error("\n*** SKIPPED: the plots; echarts is not installed: npm ci --ignore-scripts --prefix bench ***\n");
    return {};
  }
  const svg = (height: number, option: object): string => {
    const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width: 760, height });
    chart.setOption({ animation: false, backgroundColor: "#ffffff", textStyle: text, ...option });
    const drawn = chart.renderToSVGString();
    chart.dispose();
    return drawn;
  };
  return { "rates.svg": svg(380, ratesOption(results)), "flat-cost.svg": svg(320, flatCostOption(results)) };
}

function ratesOption({ rates: { slices } }: Results): object {
  const bars = Object.values(names)
    .map((name) => ({ name, perSecond: slicesOf(slices, name, 32).map(({ perSecond }) => perSecond) }))
    .filter(({ perSecond }) => perSecond.length > 0)
    .map(({ name, perSecond }) => ({ name, value: Math.round(spreadOf(perSecond).median) }))
    .sort((a, b) => a.value - b.value);
  return {
    title: { text: "Calls a second on one core, 32 connections", textStyle: { ...text, fontSize: 14 } },
    grid: { left: 150, right: 70, top: 40, bottom: 30 },
    xAxis: { type: "value", axisLabel: { formatter: (value: number) => `${value / 1_000}k` } },
    yAxis: { type: "category", data: bars.map(({ name }) => name), axisTick: { show: false } },
    series: {
      type: "bar",
      data: bars.map(({ name, value }) => ({
        value,
        itemStyle: { color: name.startsWith("Tidegate") ? ours : others },
      })),
      label: {
        show: true,
        position: "right",
        formatter: ({ value }: { value: number }) => `${(value / 1_000).toFixed(1)}k`,
      },
    },
  };
}

function flatCostOption({ flatCost }: Results): object {
  const line = (kind: "hit" | "miss", color: string) => ({
    type: "line",
    name: kind,
    symbolSize: 7,
    color,
    data: flatCost.map((each) => spreadOf(each[kind]).median.toFixed(1)),
    label: { show: true, position: "top" },
  });
  return {
    title: { text: "Processor time of a call, µs", textStyle: { ...text, fontSize: 14 } },
    legend: { right: 20, top: 5 },
    grid: { left: 60, right: 40, top: 45, bottom: 45 },
    xAxis: {
      type: "category",
      data: flatCost.map(({ users }) => users.toLocaleString("en")),
      name: "users in the store",
      nameLocation: "middle",
      nameGap: 28,
    },
    yAxis: { type: "value", min: 0 },
    series: [line("hit", ours), line("miss", "#bc4c00")],
  };
}
