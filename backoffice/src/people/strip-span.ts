const minuteMs = 60_000;
const dayMs = 86_400_000;

/** The instants that a time strip begins and ends with. */
export type Span = { readonly from: number; readonly to: number };

/**
 * The last seven days up to now; longer where a moment is before them, or more than a minute ahead. Other ends than now
 * are local midnights.
 */
export function spanOf(moments: readonly number[], now: number): Span {
  const last = Math.max(...moments);
  return {
    from: midnight(Math.min(now - 7 * dayMs, ...moments)),
    to: last > now + minuteMs ? midnight(last, 1) : now,
  };
}

/** An instant that is a step away, at a whole minute. A step across now ends there. */
export function stepped(at: number, step: number, now: number): number {
  const next = Math.floor((at + step) / minuteMs) * minuteMs;
  const isAcross = step > 0 ? at < now - minuteMs && next > now : at > now + minuteMs && next < now;
  return isAcross ? now : next;
}

/** The place of an instant in a span, from 0 to 100. */
export const placeIn = ({ from, to }: Span, at: number): number =>
  Math.max(0, Math.min(100, ((at - from) / (to - from)) * 100));

/** The starts of at most so many local days of a span, equally far apart. */
export function daysIn({ from, to }: Span, max: number): readonly number[] {
  const step = Math.ceil((to - from) / dayMs / max);
  const days: number[] = [];
  for (let day = from; day < to; day = midnight(day, step)) days.push(day);
  return days;
}

/** Groups what is ordered by place: what is less than a gap behind the first of a group joins it. */
export function grouped<Item>(
  items: readonly Item[],
  placeOf: (item: Item) => number,
  gap: number,
): readonly (readonly [Item, ...Item[]])[] {
  const groups: [Item, ...Item[]][] = [];
  for (const item of items) {
    const last = groups.at(-1);
    if (last && placeOf(item) < placeOf(last[0]) + gap) last.push(item);
    else groups.push([item]);
  }
  return groups;
}

/** The start of a local day, or of one some days later. */
function midnight(at: number, daysLater = 0): number {
  const day = new Date(at);
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() + daysLater).getTime();
}
