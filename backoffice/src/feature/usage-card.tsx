import "./usage-card.css";
import { useQuery } from "@tanstack/react-query";
import { Table2 } from "lucide-react";
import { useState } from "react";
import { chartHours, usageText } from "../features/usage.ts";
import { IconButton } from "../ui/button.tsx";
import { Card } from "../ui/card.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { briefly, count } from "../ui/numbers.ts";
import { usageQuery } from "./usage-query.ts";

const hourMs = 3_600_000;
const hour = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const [width, height] = [640, 140];

/** Evaluations of a feature in the last 24 hours: those that had it on, and all. */
export function UsageCard({ feature }: { readonly feature: string }) {
  const { data, error } = useQuery(usageQuery(feature));
  const [isTable, setTable] = useState(false);
  if (error) return <ErrorNote error={error} />;
  if (!data) return null;
  const hours = data.on.map((on, index) => ({
    at: new Date(Date.parse(data.from) + index * hourMs),
    on,
    all: on + (data.off[index] ?? 0),
  }));
  const all = data.total.on + data.total.off;
  return (
    <Card
      title="Evaluations over time"
      actions={
        <>
          <span className="row tiny dim usage-legend">
            <i className="usage-on" /> on <i className="usage-all" /> all
          </span>
          <IconButton label={isTable ? "Show as chart" : "Show as table"} onClick={() => setTable(!isTable)}>
            <Table2 size={16} aria-hidden />
          </IconButton>
        </>
      }
    >
      <p className="small dim">{usageText(data.total.on, all)}</p>
      {all > 0 &&
        (isTable ? (
          <table className="usage-table small num">
            <thead>
              <tr>
                <th scope="col">Hour</th>
                <th scope="col">On</th>
                <th scope="col">All</th>
              </tr>
            </thead>
            <tbody>
              {hours.map(({ at, on, all: total }) => (
                <tr key={at.getTime()}>
                  <th scope="row">{hour.format(at)}</th>
                  <td>{count(on)}</td>
                  <td>{count(total)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        ) : (
          <Chart hours={chartHours(hours, ({ all }) => all > 0)} />
        ))}
    </Card>
  );
}

type Hour = { readonly at: Date; readonly on: number; readonly all: number };

/** The sentence and the table beside it say the same; the chart itself is decoration for screen readers. */
function Chart({ hours }: { readonly hours: readonly Hour[] }) {
  const highest = Math.max(1, ...hours.map(({ all }) => all));
  const yOf = (value: number) => height - (value / highest) * (height - 16);
  const line = (value: (each: Hour) => number) =>
    hours
      .map((each, index) => {
        const x = (index / Math.max(1, hours.length - 1)) * width;
        return `${x.toFixed(1)} ${yOf(value(each)).toFixed(1)}`;
      })
      .join("L");
  const on = `M${line((each) => each.on)}`;
  // The first and the last are at the ends of the axis, and the others at even distances.
  const labels = [0, 1, 2, 3, 4].flatMap((part) => hours[Math.round((part / 4) * (hours.length - 1))] ?? []);
  return (
    <div className="usage-chart" aria-hidden="true">
      {ticksUpTo(highest).map((tick) => (
        <span key={tick} className="tiny dim num usage-tick" style={{ top: yOf(tick) }}>
          {briefly(tick)}
        </span>
      ))}
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
        {ticksUpTo(highest).map((tick) => (
          <path key={tick} className="usage-grid" d={`M0 ${yOf(tick)}H${width}`} />
        ))}
        <path className="usage-area" d={`${on}L${width} ${height}L0 ${height}Z`} />
        <path className="usage-line-on" d={on} />
        <path className="usage-line-all" d={`M${line((each) => each.all)}`} />
      </svg>
      <div className="row tiny dim num usage-hours">
        {labels.map(({ at }) => (
          <span key={at.getTime()}>{hour.format(at)}</span>
        ))}
      </div>
    </div>
  );
}

/** One to four round numbers up to the highest value of a chart. */
function ticksUpTo(highest: number): readonly number[] {
  const size = 10 ** Math.floor(Math.log10(highest));
  const step = Math.max(1, highest < 2 * size ? size / 2 : highest < 5 * size ? size : 2 * size);
  return Array.from({ length: Math.floor(highest / step) }, (_, index) => (index + 1) * step);
}
