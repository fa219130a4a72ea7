import type { z } from "zod";
import { tokensSource } from "../../application/evaluation/identify-caller.ts";
import type { ReportProblem } from "../../infrastructure/config-error.ts";
import type { Entry } from "../../infrastructure/entries.ts";
import type { compatibility } from "./schema.ts";

/** Checks the rules between sources, also on sources with other problems. */
export function checkRules(entries: readonly Entry[], reportProblem: ReportProblem): void {
  const named = new Set<unknown>([tokensSource]);
  const gates = entries.filter((entry) => entry["role"] === "gate").map((entry) => String(entry["name"]));
  for (const [index, entry] of entries.entries()) {
    const path = ["sources", index];
    const { name, role = "grant", gatedBy, onFailure } = entry;
    if (name !== undefined && named.has(name)) {
      reportProblem([...path, "name"], `the name "${name}" is in use (choose another)`);
    }
    named.add(name);
    if (role !== "grant") {
      if (Array.isArray(gatedBy) && gatedBy.length > 0) {
        reportProblem([...path, "gatedBy"], `gatedBy is invalid for a ${role} (set it on grants)`);
      }
      if (onFailure === "skip") {
        reportProblem(
          [...path, "onFailure"],
          `skip is invalid for a ${role}: omitting it would switch features on (use fail)`,
        );
      }
    } else if (Array.isArray(gatedBy)) {
      for (const [place, gate] of gatedBy.entries()) {
        if (gates.includes(gate)) continue;
        const choice = gates.length > 0 ? `expected one of ${gates.join(", ")}` : "set role: gate on a source";
        reportProblem([...path, "gatedBy", place], `unknown gate "${gate}" (${choice})`);
      }
    }
    if (entry["default"] !== undefined && role !== "gate") {
      reportProblem([...path, "default"], "default is invalid for a grant or veto (omit it, or set role: gate)");
    }
  }
}

/** Checks the source whose document is passed on to Unleash's backend SDKs. */
export function checkPassedOn(
  unleash: z.output<typeof compatibility>["unleash"],
  entries: readonly Entry[],
  reportProblem: ReportProblem,
): void {
  if (typeof unleash !== "object") return;
  const { source: name } = unleash;
  const source = entries.find((entry) => entry["name"] === name);
  if (source?.["kind"] === "unleash") return;
  const choices = entries.filter(({ kind }) => kind === "unleash").map((entry) => String(entry["name"]));
  const choice = choices.length > 0 ? `expected ${choices.join(" or ")}` : "add a source of kind unleash, or set true";
  const fault = source ? `the source "${name}" has kind ${source["kind"]}` : `unknown source "${name}"`;
  reportProblem(["compatibility", "unleash", "source"], `${fault} (${choice})`);
}
