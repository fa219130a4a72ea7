import { createContext, useContext } from "react";
import type { Source } from "../api/sources.ts";

/** What the rows of the list need to know, and what their controls do. */
export type ListActions = {
  readonly sources: readonly Source[];
  /** The source of the switch "Everyone"; without it there is no such column. */
  readonly everyoneSource: string | undefined;
  readonly isEditor: boolean;
  readonly selected: ReadonlySet<string>;
  readonly usage: ReadonlyMap<string, FeatureUsage>;
  readonly toggleSelected: (key: string) => void;
  readonly switchEveryone: (key: string, isOn: boolean) => void;
  readonly kill: (key: string) => void;
  readonly undoKill: (key: string) => void;
};

/** Evaluations that had a feature on in the last 24 hours, the finished ones by hour, and when it was last used. */
export type FeatureUsage = {
  readonly hours: readonly number[];
  readonly total: number;
  /** Also those that had it off. */
  readonly evaluated: number;
  readonly lastUsed: string | null;
  /** When counting began. */
  readonly since: string | null;
};

const Context = createContext<ListActions | undefined>(undefined);

export const ListActionsProvider = Context.Provider;

export function useListActions(): ListActions {
  const actions = useContext(Context);
  if (!actions) throw new Error("a row outside its list");
  return actions;
}
