import "./chart-card.css";
import { ChartLine, Table } from "lucide-react";
import { useId, useState } from "react";
import { Button } from "../../ui/button.tsx";
import { Card } from "../../ui/card.tsx";
import { onDemand } from "../../ui/on-demand.tsx";
import { clock } from "../../ui/time.tsx";
import type { Line } from "./chart.tsx";

const Chart = onDemand(
  () => import("./chart.tsx"),
  () => <div className="chart-plot" />,
);

/** A chart with its summary in words, and a button that shows its numbers as a table. */
export function ChartCard({
  title,
  times,
  lines,
  summary,
  waiting,
  format,
}: {
  readonly title: string;
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  readonly summary: string;
  /** Instead of the chart, while there are fewer than two points. Where no two have a value, it is the summary. */
  readonly waiting: string;
  readonly format: (value: number) => string;
}) {
  const [isTable, setTable] = useState(false);
  const id = useId();
  const hasLine = lines.some(({ values }) =>
    values.some((value, index) => isNumber(value) && isNumber(values[index + 1])),
  );
  return (
    <Card
      title={title}
      actions={
        <>
          <span className="tiny dim row chart-legend">
            {lines.map((line) => (
              <Legend key={line.name} {...line} />
            ))}
          </span>
          <Button
            isCompact
            look="ghost"
            aria-controls={id}
            aria-label={`${isTable ? "Chart" : "Table"}: ${title}`}
            onClick={() => setTable(!isTable)}
          >
            {isTable ? <ChartLine size={14} aria-hidden /> : <Table size={14} aria-hidden />}
            {isTable ? "Chart" : "Table"}
          </Button>
        </>
      }
    >
      <div id={id} className="chart">
        {isTable && times.length > 0 ? (
          <Numbers title={title} times={times} lines={lines} format={format} />
        ) : !hasLine ? (
          <p className="chart-none dim small">{times.length > 1 ? summary : waiting}</p>
        ) : (
          <Chart times={times} lines={lines} summary={summary} format={format} />
        )}
      </div>
      {(hasLine || isTable) && <p className="tiny dim num chart-summary">{summary}</p>}
    </Card>
  );
}

const isNumber = (value: number | null | undefined): boolean => typeof value === "number";

const Legend = ({ name, color, isDashed = false }: Line) => (
  <span className="row nowrap">
    <svg width="14" height="3" aria-hidden="true">
      <path d="M0 1.5h14" stroke={`var(${color})`} strokeWidth="3" strokeDasharray={isDashed ? "4 3" : undefined} />
    </svg>
    {name}
  </span>
);

const Numbers = ({
  title,
  times,
  lines,
  format,
}: {
  readonly title: string;
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  readonly format: (value: number) => string;
}) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
  <section className="chart-numbers" tabIndex={0} aria-label={`${title}, as a table`}>
    <table className="data-table num">
      <thead>
        <tr>
          <th scope="col">Time</th>
          {lines.map(({ name }) => (
            <th scope="col" key={name}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {times.toReversed().map((at, fromEnd) => (
          <tr key={at}>
            <th scope="row">{clock(new Date(at * 1_000))}</th>
            {lines.map(({ name, values }) => {
              const value = values[times.length - 1 - fromEnd];
              return <td key={name}>{value === null || value === undefined ? "none" : format(value)}</td>;
            })}
          </tr>
        ))}
      </tbody>
    </table>
  </section>
);
