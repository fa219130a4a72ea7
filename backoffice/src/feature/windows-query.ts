import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { bodyOf, v1 } from "../api/client.ts";
import { pathSegment } from "../api/path-segment.ts";

const route = v1.sources[":source"].rules[":feature"].windows;

/** When a schedule is on in a week; `rule` is previewed in place of the stored one. */
export const windowsQuery = (feature: string, source: string, week: readonly number[], rule?: unknown) => {
  const [from, to] = [week[0], week.at(-1)].map((at) => new Date(at ?? 0).toISOString());
  const param = { source: pathSegment(source), feature: pathSegment(feature) };
  return queryOptions({
    queryKey: ["feature", feature, "windows", source, from, to, rule],
    queryFn: () =>
      bodyOf(route.$post({ param, json: { from, to, ...(rule !== undefined && { rule: rule as never }) } })),
    placeholderData: keepPreviousData,
    retry: false,
  });
};

export type Windows = Awaited<ReturnType<NonNullable<ReturnType<typeof windowsQuery>["queryFn"]>>>;

/** The next change after an instant, and whether it switches on. */
export function changeAfter(now: number, { on, to, nextChange }: Windows): { at: number; isOn: boolean } | undefined {
  const last = on.at(-1);
  const changes = on.flatMap((window) => [
    { at: Date.parse(window.from), isOn: true },
    ...(window.to === to ? [] : [{ at: Date.parse(window.to), isOn: false }]),
  ]);
  if (nextChange !== null) changes.push({ at: Date.parse(nextChange), isOn: last?.to !== to });
  return changes.find(({ at }) => at > now);
}

/** Whether the schedule is on at an instant of the week. */
export const isOnAt = (now: number, { on }: Windows): boolean =>
  on.some(({ from, to }) => Date.parse(from) <= now && now < Date.parse(to));
