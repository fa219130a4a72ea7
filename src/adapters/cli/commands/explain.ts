import type { Command } from "commander";
import type { ChangeEntry } from "../../../application/events/change-entry.ts";
import type { Explained, ExplainedFeature } from "../../../application/explain/explained.ts";
import { instantText } from "../../../domain/evaluation/evaluation-context.ts";
import { explainedJson } from "../../explained-json.ts";
import { callerOf } from "../arguments/caller-of.ts";
import { instantIn } from "../arguments/instant-option.ts";
import {
  type RequestContextOptions,
  requestContextOf,
  withRequestContext,
} from "../arguments/request-context-options.ts";
import type { CommandContext } from "../command-context.ts";

type Options = { user?: string; token?: true; at?: string } & RequestContextOptions;

/** `tidegate explain`: explains why features are on or off. */
export const define = (command: Command, { onStores, results, terminal }: CommandContext): void =>
  void withRequestContext(command)
    .addHelpText("after", "\nWith --json: the body of POST /admin/v1/explain.")
    .argument("[features...]", "only these features, also unknown ones (default: all that a source lists)")
    .option("--at <TIME>", "at this time (RFC 3339), such as 2026-11-17T09:00:00Z (default: now)")
    .action((features: string[], { at, ...options }: Options) =>
      onStores(async ({ awaitSources, explainFeatures, attributes }) => {
        const question = {
          requestContext: requestContextOf(options, attributes),
          at: instantIn(at),
          features: features.length > 0 ? features : undefined,
        };
        const caller = await callerOf(options, terminal);
        await awaitSources();
        const explained = await explainFeatures.explain({ caller, ...question });
        results.print(explainedJson(explained), ...explained.features.flatMap(linesOf));
        for (const note of notesOn(explained)) terminal.note(note);
      }),
    );

const linesOf = (explained: ExplainedFeature): readonly string[] => [
  `${explained.feature}: ${explained.message}`,
  ...lastChanges(explained).map((line) => `  ${line}`),
];

function notesOn({ context, locatedBy, isPast, isLogAvailable, sources }: Explained): readonly string[] {
  return [
    ...(locatedBy ? [`location: ${context.locations?.join(", ")} (${locatedBy})`] : []),
    ...(isPast ? ["sets and rules of that time from the event log, with the current configuration"] : []),
    ...(isLogAvailable ? [] : ["the event log is unavailable, so the last changes are omitted"]),
    ...sources.flatMap(({ name, state, historyFrom, error, freshness }) => {
      const before = historyFrom === undefined ? "" : ` before ${instantText(historyFrom)}`;
      if (state === "no-history") return [`incomplete: no history for ${name}${before}`];
      if (state !== "evaluated") return [`${name} is unavailable: ${error}`];
      return freshness && !freshness.fresh ? [`${name} is stale: verified at ${instantText(freshness.asOf)}`] : [];
    }),
  ];
}

/** The last changes of the deciding sources, oldest first. */
const lastChanges = ({ decidedBy, results }: ExplainedFeature): readonly string[] =>
  results
    .flatMap(({ lastChange, ...each }) =>
      lastChange && decidedBy.includes(each.source) ? [{ ...each, lastChange }] : [],
    )
    .toSorted((a, b) => a.lastChange.at - b.lastChange.at)
    .map(({ source, result, rule, lastChange }) =>
      rule === undefined
        ? `${source}: ${membershipText(result === "on", lastChange)}`
        : `${source}: rule ${JSON.stringify(rule)} set ${changeText(lastChange)}`,
    );

function membershipText(isMember: boolean, change: ChangeEntry): string {
  if (change.origin !== "baseline") return `${isMember ? "added" : "removed"} ${changeText(change)}`;
  return `${isMember ? "a member" : "no member"} since before ${instantText(change.at)}, the start of its history`;
}

const changeText = ({ by, at, note }: ChangeEntry): string =>
  `${instantText(at)} by ${by}${note === undefined ? "" : ` (${note})`}`;
