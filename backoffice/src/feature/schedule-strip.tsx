import "./schedule-strip.css";
import type { Windows } from "./windows-query.ts";
import type { Formats } from "./zones.ts";

/** The windows of a week as bars over its days, and the same as a list. The bars are decoration for screen readers. */
export function ScheduleStrip({
  week,
  windows: { on },
  now,
  formats,
}: {
  readonly week: readonly number[];
  readonly windows: Windows;
  readonly now: number;
  readonly formats: Formats;
}) {
  const windows = on.map(({ from, to }) => ({ from: Date.parse(from), to: Date.parse(to) }));
  const days = week.slice(0, -1);
  const hasNow = (week[0] ?? 0) <= now && now < (week.at(-1) ?? 0);
  return (
    <>
      <div className="strip" aria-hidden="true">
        {days.map((day, index) => {
          const name = formats.weekday(day);
          return (
            <div key={day} className={`strip-day tiny ${/^S/.test(name) ? "weekend" : ""}`}>
              <span className={hasNow && day <= now && now < (week[index + 1] ?? 0) ? "strong" : "dim"}>
                {name} <span className="num">{formats.day(day)}</span>
              </span>
            </div>
          );
        })}
        {windows.map(({ from, to }) => (
          <span
            key={from}
            className="strip-window"
            style={{ left: `${placeOf(from, week)}%`, width: `${placeOf(to, week) - placeOf(from, week)}%` }}
          />
        ))}
        {hasNow && <span className="strip-now" style={{ left: `${placeOf(now, week)}%` }} />}
      </div>
      {windows.length === 0 ? (
        <p className="small dim strip-list">No window in these seven days.</p>
      ) : (
        <ul className="small num strip-list" aria-label="Windows of these seven days">
          {windows.slice(0, maxListed).map(({ from, to }) => (
            <li key={from} className={to <= now ? "dim" : ""}>
              {formats.span(from, to)}
            </li>
          ))}
          {windows.length > maxListed && <li className="dim">and {windows.length - maxListed} more</li>}
        </ul>
      )}
    </>
  );
}

const maxListed = 14;

/** The place of an instant in a week, in percent. Days are equally wide, also those of 23 or 25 hours. */
function placeOf(at: number, week: readonly number[]): number {
  const days = week.length - 1;
  const day = Math.max(
    0,
    Math.min(
      days - 1,
      week.findLastIndex((start) => start <= at),
    ),
  );
  const [start = 0, end = 0] = week.slice(day);
  return ((day + Math.min(1, (at - start) / (end - start))) / days) * 100;
}
