import "./time-strip.css";
import { type KeyboardEvent, useEffect, useState } from "react";
import { useSourcesByName } from "../api/sources.ts";
import type { Event } from "../events/event-queries.ts";
import { entrySentence } from "../events/event-sentence.ts";
import { type SourcesByName, shapeOf } from "../events/event-view.ts";
import { type FeatureState, StateIcon, states } from "../ui/feature-state.tsx";
import { useIsNarrow } from "../ui/is-narrow.ts";
import { dayTime, useNow } from "../ui/time.tsx";
import { useChanges } from "./changes-between.ts";
import type { PersonContext } from "./person-context.ts";
import { daysIn, grouped, placeIn, spanOf, stepped } from "./strip-span.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** How far a key moves a handle. */
const steps: Readonly<Record<string, number>> = {
  ArrowLeft: -hourMs,
  ArrowDown: -hourMs,
  ArrowRight: hourMs,
  ArrowUp: hourMs,
  PageDown: -24 * hourMs,
  PageUp: 24 * hourMs,
};
/** How long a moved handle rests before its moment is evaluated. */
const restMs = 200;

/** A context whose moment is chosen on the strip. */
export type StripSide = {
  readonly label: string;
  /** Shown in the handle. */
  readonly letter: string;
  readonly context: PersonContext;
  /** `undefined`: now. */
  readonly onChoose: (at: string | undefined) => void;
};

/**
 * The days around the chosen moments, with a mark for each change that affects a user, and a handle for each moment. A
 * click moves the nearer handle; on a mark, to just after its changes. Of two moments, one in the last hour becomes now.
 */
export function TimeStrip({ sides }: { readonly sides: readonly StripSide[] }) {
  const now = useNow();
  const isNarrow = useIsNarrow();
  const sources = useSourcesByName();
  const [moved, setMoved] = useState<{ readonly side: number; readonly at: number | undefined }>();
  const contexts = sides.map(({ context }) => context);
  const chosen = contexts.map(({ at }) => (at === undefined ? undefined : Date.parse(at)));
  const moments = chosen.map((at, side) => (moved?.side === side ? moved.at : at));
  const places = moments.map((at = now) => at);
  const span = spanOf(
    chosen.map((at = now) => at),
    now,
  );
  const marks = useChanges(contexts, new Date(span.from).toISOString()).flatMap((event) =>
    marksOf(event, contexts, sources),
  );
  const isComparison = sides.length > 1;
  const place = (at: number) => placeIn(span, at);
  const left = (at: number) => ({ left: `${place(at)}%` });
  // The width of a mark, in percent.
  const gap = isNarrow ? 8 : 2.2;

  const choose = (side: number, at: number | undefined) => {
    setMoved(undefined);
    sides[side]?.onChoose(at === undefined ? undefined : new Date(at).toISOString());
  };
  const orNow = (at: number) => (isComparison && now - hourMs < at && at <= now ? undefined : at);
  const nearest = (at: number) => {
    const distances = places.map((each) => Math.abs(each - at));
    return distances.indexOf(Math.min(...distances));
  };
  const onKeyDown = (side: number, event: KeyboardEvent) => {
    const step = steps[event.key];
    const at = places[side];
    if (at === undefined || (step === undefined && event.key !== "End")) return;
    event.preventDefault();
    // The native key ends at a whole hour.
    if (step === undefined) setMoved({ side, at: orNow(span.to) });
    else if (event.shiftKey) {
      const next = step > 0 ? marks.find(({ after }) => after > at) : marks.findLast(({ after }) => after < at);
      if (next) setMoved({ side, at: next.after });
    } else setMoved({ side, at: orNow(stepped(at, step, now)) });
  };
  useEffect(() => {
    const timer = moved && setTimeout(choose, restMs, moved.side, moved.at);
    return () => clearTimeout(timer);
  });

  return (
    <section className="time-strip" aria-label="Moments and changes">
      <button
        type="button"
        className="time-strip-axis"
        tabIndex={-1}
        aria-hidden
        onClick={({ nativeEvent, currentTarget }) => {
          const hours = ((nativeEvent.offsetX / currentTarget.clientWidth) * (span.to - span.from)) / hourMs;
          const at = Math.min(span.from + Math.round(hours) * hourMs, span.to);
          choose(nearest(at), orNow(at));
        }}
      />
      {isComparison && (
        <span
          className="time-strip-between"
          style={{ ...left(Math.min(...places)), right: `${100 - place(Math.max(...places))}%` }}
        />
      )}
      {now < span.to && (
        <span className="time-strip-now tiny dim" style={left(now)}>
          now
        </span>
      )}
      <ul aria-label="Changes">
        {grouped(marks, ({ event }) => place(Date.parse(event.time)), gap).map((group) => {
          const [first] = group;
          const last = group.at(-1) ?? first;
          const entry = { id: last.event.id, first: last.event, events: group.map(({ event }) => event) };
          const text = `${dayTime(new Date(last.event.time))}: ${entrySentence(entry, sources)}`;
          return (
            <li key={first.event.id}>
              <button
                type="button"
                className="time-strip-mark"
                tabIndex={-1}
                aria-label={text}
                title={text}
                style={left(Date.parse(first.event.time))}
                onClick={() => choose(nearest(last.after), last.after)}
              >
                <StateIcon state={foremostOf(group)} size={12} />
              </button>
            </li>
          );
        })}
      </ul>
      {sides.map(({ label, letter }, side) => {
        const at = places[side] ?? now;
        return (
          <span key={label}>
            <input
              type="range"
              aria-label={label}
              aria-valuetext={dayTime(new Date(at)) + (moments[side] === undefined ? ", now" : "")}
              title="Arrow keys: an hour. Page keys: a day. With Shift: to the change before or after. End: the last moment."
              min={span.from}
              max={span.to}
              step={hourMs}
              value={at}
              onKeyDown={(event) => onKeyDown(side, event)}
              onChange={({ currentTarget }) => setMoved({ side, at: orNow(currentTarget.valueAsNumber) })}
            />
            <span className="time-strip-handle" style={left(at)}>
              {letter}
            </span>
          </span>
        );
      })}
      {daysIn(span, isNarrow ? 4 : 8).map((day, index, days) => {
        if (span.to === now && place(day) > 100 - 2 * gap) return null;
        const [date = "", month] = dateOf(day);
        return (
          <span key={day} className={`time-strip-day tiny dim num ${index === 0 ? "first" : ""}`} style={left(day)}>
            {date} {month !== dateOf(days[index - 1] ?? 0)[1] && month}
          </span>
        );
      })}
      {span.to === now && <span className="time-strip-day last tiny dim">now</span>}
    </section>
  );
}

/** The day of the month, and the month, with its year if that is not this one. */
const dateOf = (at: number): readonly string[] => /^(\d+) ([^,]+)/.exec(dayTime(new Date(at)))?.slice(1) ?? [];

/** A change on the strip, the state that its shape shows, and the moment just after it. */
type Mark = { readonly event: Event; readonly state: FeatureState; readonly after: number };

/** The state of a group of marks that its icon shows: the one that takes precedence. */
const foremostOf = (group: readonly [Mark, ...Mark[]]): FeatureState =>
  states.find((state) => group.some((mark) => mark.state === state)) ?? group[0].state;

/** The mark of a change; none if it affects no feature, or only other locations. */
function marksOf(event: Event, contexts: readonly PersonContext[], sources: SourcesByName): readonly Mark[] {
  const state = shapeOf(event, sources);
  if (state === "token" || state === "event") return [];
  const { location } = event;
  const isHere = contexts.some((each) => location === undefined || `${each.location}/`.startsWith(`${location}/`));
  return isHere ? [{ event, state, after: Date.parse(event.time) + 1 }] : [];
}
