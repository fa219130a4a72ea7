import { z } from "zod";
import { anyOf, fixedSchedule, type Schedule } from "../../../domain/targeting/schedule.ts";
import { defineSource } from "../_catalogue/source.ts";
import { thenSync } from "../_catalogue/then-sync.ts";
import { parsedRules } from "../_rules/parsed-rules.ts";
import { PhasesAhead } from "./phases-ahead.ts";
import { type ParsedWindow, parseWindow, WindowFault, type WindowText } from "./window-text.ts";

const maxWindows = 100;

const window = z.strictObject({
  startsAt: z
    .string()
    .exactOptional()
    .describe("Start of a single window, for example 2026-11-20T18:00:00Z, or 2026-11-20T18:00 with a timeZone."),
  endsAt: z.string().exactOptional().describe("End of a single window, exclusive. Default: no end."),
  recurrence: z
    .string()
    .exactOptional()
    .describe("Days of recurring windows (RFC 5545, RRULE), for example FREQ=WEEKLY;BYDAY=FR."),
  from: z.string().exactOptional().describe("Time of day at which a recurring window starts, for example 18:00."),
  to: z
    .string()
    .exactOptional()
    .describe("Time of day at which a recurring window ends: on the next day if it is not after `from`."),
  startsOn: z.string().exactOptional().describe("First day, for example 2026-11-20. Intervals and counts start there."),
  endsOn: z.string().exactOptional().describe("Last day on which a recurring window may start."),
  timeZone: z.string().exactOptional().describe("Time zone of the IANA database, for example Europe/Madrid."),
});

const schedule = z.strictObject({
  windows: z.array(window).min(1).max(maxWindows).describe("The feature is on while one of the windows is open."),
});

/** Schema of a rule. */
const rule = schedule.superRefine(({ windows }, context) => {
  for (const [index, parsed] of parsedWindows(windows, context).entries()) {
    if (parsed?.opens() !== false) continue;
    const message = "never occurs, or not for decades; fix the rule, or its first and last day";
    context.addIssue({ code: "custom", path: ["windows", index, "recurrence"], message });
  }
});

/** Schema that compiles a rule to a schedule. */
const compiled = schedule.transform(({ windows }, context): Schedule => {
  const schedules = parsedWindows(windows, context).flatMap((parsed) => parsed?.schedule ?? []);
  return schedules.length === windows.length ? anyOf(schedules) : z.NEVER;
});

/** Replaces an invalid rule: never on, because a mistake must not switch a feature on at all times. */
const never = fixedSchedule([]);

export const source = defineSource({
  summary: "Switches features on in single or recurring time windows, for example on Friday evenings.",
  options: ({ connection, collection }) =>
    z.strictObject({
      connection: connection.describe("The connection with the rules."),
      collection: collection
        .default("schedules")
        .describe("The collection of the rules, one for each feature. Features without a rule are absent."),
    }),
  example: { connection: "features", collection: "schedules" },
  editable: { rules: () => rule },
  deterministic: true,
  create: (_, { readRules, report }) => {
    const parsed = parsedRules(compiled, report, never);
    const phases = new PhasesAhead(Date.now);
    return {
      varyBy: [],
      resolve: ({ at }) =>
        thenSync(readRules(), (cached) =>
          thenSync(phases.at(parsed(cached.value), at), ({ features, until }) => ({
            features,
            dependencies: [cached],
            validUntil: until,
          })),
        ),
      dispose: () => phases[Symbol.dispose](),
    };
  },
});

/** Parses windows. Adds the faults of an invalid window to the context, and returns `undefined` in its place. */
function parsedWindows(texts: readonly WindowText[], context: z.RefinementCtx): readonly (ParsedWindow | undefined)[] {
  return texts.map((text, index) => {
    try {
      return parseWindow(text);
    } catch (cause) {
      if (!(cause instanceof WindowFault)) throw cause;
      context.addIssue({ code: "custom", path: ["windows", index, cause.field], message: cause.message });
      return undefined;
    }
  });
}
