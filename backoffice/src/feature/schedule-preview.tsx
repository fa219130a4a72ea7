import { useQuery } from "@tanstack/react-query";
import { useNow } from "../ui/time.tsx";
import { ScheduleStrip } from "./schedule-strip.tsx";
import { windowsQuery } from "./windows-query.ts";
import { formatsOf, weekOf, zonesOf } from "./zones.ts";

/** The next seven days of a valid schedule before it is stored, in the zone of its first window. */
export function SchedulePreview({
  feature,
  source,
  rule,
}: {
  readonly feature: string;
  readonly source: string;
  readonly rule: unknown;
}) {
  const now = useNow();
  const [zone] = zonesOf(rule);
  const week = weekOf(now, zone, 0);
  const { data } = useQuery(windowsQuery(feature, source, week, rule));
  if (!data) return null;
  return (
    <section aria-label="Preview of the schedule">
      <p className="small dim schedule-preview-title">The next seven days in {zone}</p>
      <ScheduleStrip week={week} windows={data} now={now} formats={formatsOf(zone)} />
    </section>
  );
}
