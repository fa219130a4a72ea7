import { useQuery } from "@tanstack/react-query";
import { ChevronLeft, ChevronRight } from "lucide-react";
import { useState } from "react";
import { useIsEditor } from "../api/session.ts";
import type { Source } from "../api/sources.ts";
import { setQuery } from "../routing/location.ts";
import { Button, IconButton } from "../ui/button.tsx";
import { Card } from "../ui/card.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { durationText, useNow } from "../ui/time.tsx";
import { ScheduleStrip } from "./schedule-strip.tsx";
import { changeAfter, isOnAt, windowsQuery } from "./windows-query.ts";
import { type Formats, formatsOf, weekOf, zoneOfBrowser, zonesOf } from "./zones.ts";

/** The schedule of a feature in a source: the windows of a week in a chosen time zone, and the next change. */
export function ScheduleCard({
  feature,
  source: { name, role },
  rule,
}: {
  readonly feature: string;
  readonly source: Source;
  readonly rule: unknown;
}) {
  const now = useNow();
  const isEditor = useIsEditor();
  const zones = zonesOf(rule);
  const [chosen, setChosen] = useState<string>();
  const [weeksAhead, setWeeksAhead] = useState(0);
  const zone = zones.find((each) => each === chosen) ?? zones[0];
  const formats = formatsOf(zone);
  const week = weekOf(now, zone, weeksAhead);
  const present = useQuery(windowsQuery(feature, name, weekOf(now, zone, 0)));
  const shown = useQuery(windowsQuery(feature, name, week));
  const error = present.error ?? shown.error;
  return (
    <Card
      title={name === "schedule" ? "Schedule" : `Schedule ${name}`}
      actions={
        isEditor && (
          <Button
            isCompact
            isChange
            aria-label={`Edit the windows of ${name}`}
            onClick={() => setQuery({ edit: name })}
          >
            Edit
          </Button>
        )
      }
    >
      {error ? (
        <ErrorNote error={error} />
      ) : (
        <>
          <div className="row wrap schedule-head">
            <p className="small grow schedule-next">
              {present.data &&
                nextText(now, formats, role === "gate", isOnAt(now, present.data), changeAfter(now, present.data))}
            </p>
            <select
              className="input schedule-zone"
              aria-label="Time zone of the schedule"
              value={zone}
              onChange={({ currentTarget }) => setChosen(currentTarget.value)}
            >
              {zones.map((each) => (
                <option key={each} value={each}>
                  {each === zoneOfBrowser() ? `${each} (yours)` : each}
                </option>
              ))}
            </select>
            <IconButton label="Week before" onClick={() => setWeeksAhead(weeksAhead - 1)}>
              <ChevronLeft size={16} aria-hidden />
            </IconButton>
            <IconButton label="Week after" onClick={() => setWeeksAhead(weeksAhead + 1)}>
              <ChevronRight size={16} aria-hidden />
            </IconButton>
          </div>
          {shown.data && <ScheduleStrip week={week} windows={shown.data} now={now} formats={formats} />}
        </>
      )}
    </Card>
  );
}

/** Such as "Off now. On Fri 20 Nov, 18:00, in 2 d." */
function nextText(
  now: number,
  { dayTime }: Formats,
  isGate: boolean,
  isOn: boolean,
  change: ReturnType<typeof changeAfter>,
) {
  const word = (on: boolean) => (isGate ? (on ? "Open" : "Closed") : on ? "On" : "Off");
  const next = change && `${word(change.isOn)} ${dayTime(change.at)}, in ${durationText(change.at - now)}.`;
  return `${word(isOn)} now. ${next ?? "No change is foreseeable."}`;
}
