import type { Explanation } from "../../domain/evaluation/explanation.ts";

/** The verdict and its cause in one sentence. `keys`: the set of each source that reads one. */
export function explanationText(
  { on, cause, verdicts: stances }: Pick<Explanation, "on" | "cause" | "verdicts">,
  keys: ReadonlyMap<string, string>,
): string {
  const word = on === undefined ? "open" : on ? "on" : "off";
  return `${word}: ${reasonFor(cause, stances, keys)}`;
}

function reasonFor(
  cause: Explanation["cause"],
  stances: Explanation["verdicts"],
  keys: ReadonlyMap<string, string>,
): string {
  const has = (source: string) => {
    const key = keys.get(source);
    return key === undefined ? `${source} switches it on` : `${source} has it in ${key}`;
  };
  switch (cause.kind) {
    case "vetoed": {
      const key = keys.get(cause.veto);
      return `the veto ${cause.veto} has it${key === undefined ? "" : ` in ${key}`}, whoever else switches it on`;
    }
    case "granted":
      if (cause.gates.length === 0) return `${has(cause.grant)}, and no gate stands before that`;
      return `${has(cause.grant)}, and ${gates(cause.gates)} it through`;
    case "held":
      return `${has(cause.grant)}, but the gate ${cause.gate} does not let it through`;
    case "ungranted":
      return "no source switches it on";
    case "open":
      return `it hangs on ${silences(cause.silent, stances)}`;
  }
}

const gates = (names: readonly string[]): string =>
  names.length === 1 ? `the gate ${names[0]} lets` : `the gates ${listed(names)} let`;

function silences(silent: readonly string[], stances: Explanation["verdicts"]): string {
  const isNotKnown = (name: string) => stances.some(({ source, stance }) => source === name && stance === "not-known");
  const notKnown = silent.filter(isNotKnown);
  const unavailable = silent.filter((name) => !isNotKnown(name));
  const parts = [
    ...(notKnown.length > 0 ? [`${listed(notKnown)}, of which that moment is not known`] : []),
    ...(unavailable.length > 0 ? [`${listed(unavailable)}, which cannot answer at the moment`] : []),
  ];
  return parts.join(", and on ");
}

const listed = (names: readonly string[]): string =>
  names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names.at(-1)}` : names.join("");
