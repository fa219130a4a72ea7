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

function print({ context, locatedBy, isPast, isLogAnswering, sources, features }: Explained, terminal: Terminal): void {
  for (const explained of features) {
    terminal.print(`${explained.feature}: ${explained.sentence}`);
    for (const line of turns(explained)) terminal.print(`  ${line}`);
  }
  if (locatedBy) terminal.note(`located at ${context.locations?.join(", ")}, by ${locatedBy}`);
  if (isPast) terminal.note("this is told from the activity log, with the configuration of now");
  if (!isLogAnswering) terminal.note("the activity log cannot answer, so it is not told who changed what");
  for (const { name, state, knownFrom, fault, freshness } of sources) {
    const since = knownFrom === undefined ? "" : ` before ${timeText(knownFrom)}`;
    if (state === "not-known") terminal.note(`incomplete: ${name} has no history${since}`);
    else if (state !== "answers") terminal.note(`${name} cannot answer: ${fault}`);
    else if (freshness && !freshness.fresh) terminal.note(`${name} is told as of ${timeText(freshness.asOf)}`);
  }
}

/** The last changes of the deciding sources, oldest first. */
const turns = ({ decidedBy, says }: ExplainedFeature): readonly string[] =>
  says
    .flatMap(({ turned, ...each }) => (turned && decidedBy.includes(each.source) ? [{ ...each, turned }] : []))
    .toSorted((a, b) => a.turned.at - b.turned.at)
    .map(({ source, stance, setting, turned }) =>
      setting === undefined
        ? `${source}: ${turnText(stance === "on", turned)}`
        : `${source}: keeps ${JSON.stringify(setting)} of it since ${authorText(turned)}`,
    );

function turnText(isOn: boolean, { by, at, note, origin }: ChangeEntry): string {
  if (origin === "baseline") return `${isOn ? "has" : "lacks"} it since before ${timeText(at)}, when its record begins`;
  return `${isOn ? "has it" : "has it no more"} since ${authorText({ by, at, note })}`;
}

const authorText = ({
  by,
  at,
  note,
}: Pick<ChangeEntry, "by" | "at"> & { readonly note?: string | undefined }): string =>
  `${timeText(at)}, by ${by}${note === undefined ? "" : ` (${note})`}`;

function instantIn(text: string | undefined): Instant | undefined {
  if (text === undefined) return undefined;
  const { success, data } = instant().safeParse(text);
  if (!success) throw new ChangeRejected("--at is no instant; write one of RFC 3339, as in 2026-11-17T09:00:00Z");
  return data;
}

const timeText = (at: Instant): string => new Date(at).toISOString();
