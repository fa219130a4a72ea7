import { useSyncExternalStore } from "react";

/** The least width of each column, in pixels, and the part of the rest that it takes. */
const columns = {
  select: { least: 20 },
  key: { least: 228, part: 1.15 },
  state: { least: 122 },
  where: { least: 208, part: 1 },
  usage: { least: 108 },
  owner: { least: 92 },
  changed: { least: 92 },
  everyone: { least: 60 },
  kill: { least: 72 },
} as const;
export type ColumnId = keyof typeof columns;

/** What goes first where the window is too narrow for all; the page of the feature shows it too. */
const dispensable: readonly ColumnId[] = ["owner", "usage", "changed", "where"];
/** The sidebar, the margins of the page, and the borders and padding of the table. */
const besides = 224 + 56 + 2 + 28;
const gap = 14;

/** The columns that fit the window, of those that are wanted. */
export function useFittingColumns(wanted: readonly ColumnId[]): ReadonlySet<ColumnId> {
  const width = useSyncExternalStore(followWidth, () => innerWidth) - besides;
  const fitting = new Set(wanted);
  const needed = () => [...fitting].reduce((sum, id) => sum + columns[id].least, 0) + gap * (fitting.size - 1);
  for (const id of dispensable) if (needed() > width) fitting.delete(id);
  return fitting;
}

function followWidth(notify: () => void): () => void {
  addEventListener("resize", notify);
  return () => removeEventListener("resize", notify);
}

/** The template of a grid with these columns. */
export const gridOf = (ids: readonly string[]): string => ids.map((id) => trackOf(columns[id as ColumnId])).join(" ");

const trackOf = ({ least, part }: { readonly least: number; readonly part?: number }): string =>
  part === undefined ? `${least}px` : `minmax(${Math.round(least * 0.7)}px, ${part}fr)`;
