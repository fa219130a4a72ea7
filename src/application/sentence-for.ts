import type { Explanation } from "../domain/explain.ts";

/** Says in one sentence why a feature is on or off. `keys` names the set of each source that reads one. */
export function sentenceFor(
  { on, cause, stances }: Pick<Explanation, "on" | "cause" | "stances">,
  keys: ReadonlyMap<string, string>,
): string {
  const word = on === undefined ? "open" : on ? "on" : "off";
  return `${word}: ${reasonFor(cause, stances, keys)}`;
}

function reasonFor(
  cause: Explanation["cause"],
  stances: Explanation["stances"],
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
      return `it hangs on ${cause.silent.map((source) => `${source}, ${silence(source, stances)}`).join(", and on ")}`;
  }
}

const gates = (names: readonly string[]): string => {
  const last = names.at(-1);
  return names.length === 1 ? `the gate ${last} lets` : `the gates ${names.slice(0, -1).join(", ")} and ${last} let`;
};

const silence = (source: string, stances: Explanation["stances"]): string =>
  stances.find((each) => each.source === source)?.stance === "not-known"
    ? "of which that moment is not known"
    : "which cannot answer at the moment";
