import { count, counted, joined } from "../ui/numbers.ts";
import type { System } from "./system-queries.ts";

type Finding = { readonly tone: "warn" | "bad"; readonly part: string; readonly text: string; readonly badge?: string };

/** Whether the instance serves fresh results, in a few words, and what follows from each fault. */
export type Verdict = {
  readonly tone: "good" | "warn" | "bad";
  readonly title: string;
  readonly text: string;
  /** For the navigation: the number of faults, or of stale sources if nothing else is wrong. */
  readonly badge?: string;
};

/** Judges the state of an instance. */
export function verdictOn(system: System): Verdict {
  const found = findingsIn(system);
  if (found.length === 0) {
    const sources = counted(system.sources.length, "source");
    return {
      tone: "good",
      title: "Serving.",
      text: `Results are fresh: ${sources} and ${counted(system.stores.length, "store")} without a fault.`,
    };
  }
  return {
    tone: found.some(({ tone }) => tone === "bad") ? "bad" : "warn",
    title: `Serving, with ${joined(found.map(({ part }) => part))}.`,
    text: found.map(({ text }) => text).join(" "),
    badge: found.length === 1 ? (found[0]?.badge ?? "1 fault") : counted(found.length, "fault"),
  };
}

function findingsIn({ sources, stores, eventLog, workersMissing }: System): readonly Finding[] {
  const unavailable = sources.filter(({ state }) => state === "unavailable");
  const skipped = sources.filter(({ state }) => state === "skipped");
  const stale = sources.filter(({ state, stale }) => state === "evaluated" && stale);
  const failing = stores.filter(({ state }) => state === "failing");
  const refusing = stores.filter(({ state, changes }) => state === "answering" && changes === "refused");
  const { deadLetters } = eventLog;
  return [
    ...(unavailable.length > 0
      ? [
          bad(
            counted(unavailable.length, "unavailable source"),
            `${names(unavailable)} ${have(unavailable)} no result that could be served.`,
          ),
        ]
      : []),
    ...(failing.length > 0
      ? [bad(counted(failing.length, "failing store"), `${names(failing)} ${does(failing)} not answer.`)]
      : []),
    ...(skipped.length > 0
      ? [warn(counted(skipped.length, "skipped source"), `Evaluations omit ${names(skipped)}.`)]
      : []),
    ...(stale.length > 0
      ? [
          {
            ...warn(
              counted(stale.length, "stale source"),
              `The last known results of ${names(stale)} are served, marked stale.`,
            ),
            badge: `${count(stale.length)} stale`,
          },
        ]
      : []),
    ...(refusing.length > 0
      ? [
          warn(
            "changes refused",
            refusing.map(({ name, reason }) => `${name}: ${reason ?? "no reason known"}.`).join(" "),
          ),
        ]
      : []),
    ...(eventLog.state === "failing"
      ? [warn("an event log that does not answer", "Changes still work, and are queued in their store.")]
      : []),
    ...(deadLetters > 0
      ? [warn(counted(deadLetters, "dead letter"), "The event log rejected these change records.")]
      : []),
    ...(workersMissing > 0
      ? [warn(counted(workersMissing, "silent worker"), "It did not report within 1 s, and is left out here.")]
      : []),
  ];
}

const bad = (part: string, text: string): Finding => ({ tone: "bad", part, text });
const warn = (part: string, text: string): Finding => ({ tone: "warn", part, text });

type Named = readonly { readonly name: string }[];
const names = (all: Named): string => joined(all.map(({ name }) => name));
const have = ({ length }: Named): string => (length === 1 ? "has" : "have");
const does = ({ length }: Named): string => (length === 1 ? "does" : "do");
