import { useSyncExternalStore } from "react";

/** The state of the event stream. */
export type Connection =
  | { readonly is: "connecting" }
  | { readonly is: "live"; readonly position: number | undefined }
  /** Lost at `since`; the next attempt is at `nextTry`. */
  | { readonly is: "lost"; readonly since: Date; readonly nextTry: Date };

let current: Connection = { is: "connecting" };
const changed = new EventTarget();

export function setConnection(next: Connection): void {
  current = next;
  changed.dispatchEvent(new Event("change"));
}

const follow = (notify: () => void) => {
  changed.addEventListener("change", notify);
  return () => changed.removeEventListener("change", notify);
};

export const useConnection = (): Connection => useSyncExternalStore(follow, () => current);

/** Whether changes are paused, because the connection is lost. Controls are disabled then. */
export const useIsPaused = (): boolean => useConnection().is === "lost";
