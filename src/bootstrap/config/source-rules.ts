import { tokensSource } from "../../application/evaluation/identify-caller.ts";
import type { ReportProblem } from "../../infrastructure/config-error.ts";
import type { Entry } from "../../infrastructure/entries.ts";

/** Checks the rules between sources, also on sources with other problems. */
export function checkRules(entries: readonly Entry[], complain: ReportProblem): void {
  const named = new Set<unknown>([tokensSource]);
  const gates = entries.filter((entry) => entry["role"] === "gate").map((entry) => String(entry["name"]));
  for (const [index, entry] of entries.entries()) {
    const path = ["sources", index];
    const { name, role = "grant", gatedBy, onFailure } = entry;
    if (name !== undefined && named.has(name)) {
      complain([...path, "name"], `the name "${name}" is taken; choose another`);
    }
    named.add(name);
    if (role !== "grant") {
      if (Array.isArray(gatedBy) && gatedBy.length > 0) {
        complain([...path, "gatedBy"], `a ${role} is not gated itself; name the gates on the grants`);
      }
      if (onFailure === "skip") {
        complain([...path, "onFailure"], `leaving a ${role} out would switch features on; use fail`);
      }
    } else if (Array.isArray(gatedBy)) {
      for (const [place, gate] of gatedBy.entries()) {
        if (gates.includes(gate)) continue;
        const choice = gates.length > 0 ? `choose one of ${gates.join(", ")}` : "give a source the role gate";
        complain([...path, "gatedBy", place], `there is no gate "${gate}"; ${choice}`);
      }
    }
    if (entry["default"] !== undefined && role !== "gate") {
      complain([...path, "default"], "default applies to gates only (omit it, or set role: gate)");
    }
  }
}
