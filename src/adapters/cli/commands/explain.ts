import { Command } from "commander";
import type { ChangeEntry, Explained, ExplainedFeature } from "../../../application/explain/explain-features.ts";
import { ChangeRejected } from "../../../domain/errors.ts";
import type { Instant } from "../../../domain/evaluation/evaluation-context.ts";
import { instant } from "../../instant.ts";
import { callerOf } from "../caller-of.ts";
import { type RequestContextOptions, requestContextOf, withRequestContext } from "../request-context-options.ts";
import type { Terminal } from "../terminal.ts";
import type { OnStores } from "../use-cases.ts";

type Options = { user?: string; token?: true; at?: string } & RequestContextOptions;

/** `tidegate explain`: explains why features are on or off. */
export const explainCommand = (onStores: OnStores, terminal: Terminal): Command =>
  withRequestContext(new Command("explain"))
    .description("say for each feature whether somebody gets it, and why; without options, for everyone")
    .argument("[features...]", "only these, also ones that nobody knows; else all that a source has a say on")
    .option("--user <id>", "for this user")
    .option("--token", "for the user of the token on standard input")
    .option("--at <instant>", "at this moment (RFC 3339), as in 2026-11-17T09:00:00Z; else now")
    .action((features: string[], { at, ...options }: Options) =>
      onStores(async ({ awaitSources, explainFeatures, attributes }) => {
        const question = {
          circumstances: requestContextOf(options, attributes),
          at: instantIn(at),
          features: features.length > 0 ? features : undefined,
        };
        const caller = await callerOf(options, terminal);
        await awaitSources.execute();
        print(await explainFeatures.explain({ caller, ...question }), terminal);
      }),
    );

function print({ context, locatedBy, isPast, isLogAvailable, sources, features }: Explained, terminal: Terminal): void {
  for (const explained of features) {
    terminal.print(`${explained.feature}: ${explained.message}`);
    for (const line of lastChanges(explained)) terminal.print(`  ${line}`);
  }
  if (locatedBy) terminal.note(`location: ${context.locations?.join(", ")} (${locatedBy})`);
  if (isPast) terminal.note("sets and rules of that time from the event log, with the current configuration");
  if (!isLogAvailable) terminal.note("the event log is unavailable, so the last changes are omitted");
  for (const { name, state, historyFrom, error, freshness } of sources) {
    const since = historyFrom === undefined ? "" : ` before ${timeText(historyFrom)}`;
    if (state === "no-history") terminal.note(`incomplete: no history for ${name}${since}`);
    else if (state !== "evaluated") terminal.note(`${name} is unavailable: ${error}`);
    else if (freshness && !freshness.fresh) terminal.note(`${name} is stale: verified at ${timeText(freshness.asOf)}`);
  }
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
  return `${isMember ? "a member" : "no member"} since before ${timeText(change.at)}, the start of its history`;
}

const changeText = ({ by, at, note }: ChangeEntry): string =>
  `${timeText(at)} by ${by}${note === undefined ? "" : ` (${note})`}`;

function instantIn(text: string | undefined): Instant | undefined {
  if (text === undefined) return undefined;
  const { success, data } = instant().safeParse(text);
  if (!success) throw new ChangeRejected("--at is no instant; write one of RFC 3339, as in 2026-11-17T09:00:00Z");
  return data;
}

const timeText = (at: Instant): string => new Date(at).toISOString();
