import "./toasts.css";
import { X } from "lucide-react";
import { useEffect, useState, useSyncExternalStore } from "react";
import { hasStatus } from "../api/problem.ts";
import { useIsPaused } from "../live/connection.ts";
import { textOf } from "./error-note.tsx";
import { Shortened } from "./shortened.tsx";

/** A message about what was done. `undo` reverses it. */
type Toast = { readonly id: number; readonly text: string; readonly undo?: (() => void | Promise<void>) | undefined };

const shownMs = 12_000;
let current: Toast | undefined;
let lastId = 0;
const changed = new EventTarget();

function show(toast: Omit<Toast, "id"> | undefined): void {
  current = toast && { id: ++lastId, ...toast };
  changed.dispatchEvent(new Event("change"));
}

/** Says that something succeeded. One toast is shown at a time; errors stay where the act was, and are no toasts. */
export const toast = (text: string, undo?: Toast["undo"]): void => show({ text, undo });

/** Undoes the last change, if its toast is still shown. Otherwise, and if that fails, a toast tells the reason. */
export function undoLast(): void {
  const undo = current?.undo;
  if (!undo) toast("Nothing to undo here. Revert a change on its event.");
  else runUndo(undo);
}

/** Undoes a change. If that fails, a toast tells the reason. */
export function runUndo(undo: NonNullable<Toast["undo"]>): void {
  show(undefined);
  Promise.resolve(undo()).catch((error) => {
    const reason = hasStatus(error, 412) ? "Somebody changed it since." : textOf(error);
    show({ text: `Not undone. ${reason}` });
  });
}

/** The region of toasts; a polite live region. */
export function Toasts() {
  const shown = useSyncExternalStore(
    (notify) => {
      changed.addEventListener("change", notify);
      return () => changed.removeEventListener("change", notify);
    },
    () => current,
  );
  return (
    <div role="status" aria-live="polite">
      {shown && <ShownToast key={shown.id} toast={shown} />}
    </div>
  );
}

/** A toast. It goes away by itself, unless the pointer or the focus is on it. */
function ShownToast({ toast: { text, undo } }: { readonly toast: Toast }) {
  const isPaused = useIsPaused();
  const [isHeld, setHeld] = useState(false);
  useEffect(() => {
    if (isHeld) return;
    const timer = setTimeout(() => show(undefined), shownMs);
    return () => clearTimeout(timer);
  }, [isHeld]);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it does nothing but stay while it is looked at
    <div
      className="toast"
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      <span>
        <Shortened text={text} max={200} />
      </span>
      {undo && (
        <button type="button" disabled={isPaused} onClick={undoLast}>
          Undo
        </button>
      )}
      <button type="button" className="toast-close" aria-label="Dismiss" onClick={() => show(undefined)}>
        <X size={15} aria-hidden />
      </button>
    </div>
  );
}
