import { useEffect, useRef, useSyncExternalStore } from "react";

/** Shortcuts by their keys: "j", "Shift+K", "Escape", or two keys such as "g f". */
export type Shortcuts = Readonly<Record<string, () => void>>;

const setting = "tidegate.shortcuts";
const changed = new EventTarget();
/** Time for the second key of a sequence, in milliseconds. */
const sequenceMs = 1_200;

const areOn = (): boolean => localStorage.getItem(setting) !== "off";

/** Whether single-key shortcuts are on, and a way to turn them off (WCAG 2.1.4). */
export function useShortcutSetting(): readonly [boolean, (isOn: boolean) => void] {
  const isOn = useSyncExternalStore((notify) => {
    changed.addEventListener("change", notify);
    return () => changed.removeEventListener("change", notify);
  }, areOn);
  return [
    isOn,
    (next) => {
      localStorage.setItem(setting, next ? "on" : "off");
      changed.dispatchEvent(new Event("change"));
    },
  ];
}

/**
 * Runs shortcuts while the component is mounted, except in fields and behind dialogs. A later mounted component is asked
 * first.
 */
export function useShortcuts(shortcuts: Shortcuts): void {
  const latest = useRef(shortcuts);
  latest.current = shortcuts;
  useEffect(() => {
    const own = () => latest.current;
    active.unshift(own);
    return () => {
      active.splice(active.indexOf(own), 1);
    };
  }, []);
}

const active: (() => Shortcuts)[] = [];
let first: { readonly key: string; readonly at: number } | undefined;

/** Listens for keys; call it once. */
export function startShortcuts(): void {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (!areOn() || isField(event.target) || document.querySelector("dialog[open], [popover]:popover-open")) return;
    const key = event.shiftKey && /^[A-Z]$/.test(event.key) ? `Shift+${event.key}` : event.key;
    const sequence = first && event.timeStamp - first.at < sequenceMs ? `${first.key} ${key}` : undefined;
    const run = find(sequence) ?? find(key);
    first = run ? undefined : { key, at: event.timeStamp };
    if (!run) return;
    event.preventDefault();
    run();
  });
}

function find(keys: string | undefined): (() => void) | undefined {
  if (keys === undefined) return undefined;
  for (const shortcuts of active) {
    const run = shortcuts()[keys];
    if (run) return run;
  }
  return undefined;
}

function isField(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !["checkbox", "radio", "range", "button"].includes(target.type);
  return target.isContentEditable || ["TEXTAREA", "SELECT"].includes(target.tagName);
}
