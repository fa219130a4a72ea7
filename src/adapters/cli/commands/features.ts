import { type Command, Option } from "commander";
import { killChange, unkillChange } from "../../../application/admin/kill-switch.ts";
import type { FeatureFilter } from "../../../application/features/feature-filter.ts";
import { type FeatureSort, featureSorts, type PageEnd } from "../../../application/features/feature-sort.ts";
import type { KnownFeature } from "../../../application/features/list-features.ts";
import type { Presence } from "../../../application/features/source-listing.ts";
import type { ManagedSource } from "../../../domain/admin/managed-source.ts";
import { type FeatureState, featureStates } from "../../../domain/features/feature-state.ts";
import { usageDays } from "../../../domain/usage/usage-store.ts";
import { knownFeatureJson } from "../../known-feature-json.ts";
import { durationIn } from "../arguments/duration-option.ts";
import { instantIn } from "../arguments/instant-option.ts";
import { cliAuthor } from "../cli-author.ts";
import type { CommandContext } from "../command-context.ts";
import { withJson, withJsonLines } from "../json-help.ts";

const pageSize = 1_000;

/** `tidegate features`: lists, shows, kills and unkills features. */
export function define(command: Command, { onStores, results, terminal }: CommandContext): void {
  const known = {
    feature: "feature_3",
    state: "on-for-some",
    stale: false,
    on: { active: true, user: { users: 1 } },
    killed: false,
    catalogue: null,
    lastChange: null,
  };
  withJsonLines(command.command("list"), known)
    .description("print all known features and where they are on, one per line")
    .option("--search <TEXT>", "only with this text in the key, description, owner or a tag, in any case")
    .option("--at <TIME>", "at this time (RFC 3339), such as 2026-11-17T09:00:00Z (default: now)")
    .addOption(new Option("--state <STATE>", "only in this state").choices(featureStates))
    .option("--owner <OWNER>", "only of this owner")
    .option("--tag <TAG>", "only with this tag")
    .option("--source <SOURCE>", "only those that this source lists")
    .option("--unused-for <TIME>", "only those not used for this time, such as 30d, 12h or 90m")
    .addOption(
      new Option("--sort <ORDER>", "by key, last change or evaluations of 24 hours; - reverses the order")
        .choices(featureSorts)
        .default("key"),
    )
    .action(
      ({ at, sort, unusedFor, ...others }: FeatureFilter & { at?: string; sort: FeatureSort; unusedFor?: string }) =>
        onStores(async ({ awaitSources, listFeatures, editableSources }) => {
          await awaitSources();
          const instant = instantIn(at);
          const filter = { ...others, unusedMs: durationIn("--unused-for", unusedFor, usageDays) };
          const roles = new Map(editableSources.sources.map((source) => [source.name, source.role]));
          const rows = [];
          let after: PageEnd | undefined;
          do {
            const page = await listFeatures.list({ filter, sort, limit: pageSize, after, at: instant });
            rows.push(...page.features.map((each) => rowOf(each, roles)));
            after = page.next;
          } while (after);
          results.printRows(undefined, rows);
        }),
    );
  withJson(command.command("show"), known)
    .description("print where a feature is on, and its description")
    .argument("<feature>")
    .action((feature: string) =>
      onStores(async ({ awaitSources, listFeatures, editableSources }) => {
        await awaitSources();
        const found = await listFeatures.get(feature);
        const { on, entry } = found;
        const states = editableSources.sources.flatMap(({ name, role }) => {
          const state = on.get(name);
          return state === undefined ? [] : [`  ${role} ${name}: ${presenceText(state)}`];
        });
        const described = entry
          ? Object.entries({
              description: entry.description,
              owner: entry.owner,
              tags: entry.tags.join(", "),
              archived: entry.archived ? "yes" : "",
            }).flatMap(([name, text]) => (text === "" ? [] : [`  ${name}: ${text}`]))
          : [];
        results.print(knownFeatureJson(found), `${feature}: ${stateText(found)}`, ...states, ...described);
      }),
    );
  for (const verb of ["kill", "unkill"] as const) {
    const isKilled = verb === "kill";
    const example = { feature: "feature_1", killed: isKilled, changed: true, source: "killed", key: "tidegate:killed" };
    withJson(command.command(verb), example)
      .description(isKilled ? "switch a feature off for everyone" : "remove a kill; grants apply again as before")
      .argument("<feature>")
      .option("--note <TEXT>", "reason, recorded in the event log")
      .action((feature: string, { note }: { note?: string }) =>
        onStores(async ({ changeSet, editableSources }) => {
          const change = (isKilled ? killChange : unkillChange)(editableSources, feature);
          const author = { ...cliAuthor(terminal), ...(note !== undefined && { note }) };
          const { key, added, removed } = await changeSet.apply(change, author);
          const isChanged = added.length + removed.length > 0;
          results.print(
            { feature, killed: isKilled, changed: isChanged, source: change.source, key },
            `${feature}: ${isKilled ? (isChanged ? "killed" : "already killed") : isChanged ? "unkilled" : "not killed"}`,
          );
        }),
      );
  }
}

const stateTexts: Readonly<Record<FeatureState, string>> = {
  killed: "killed",
  unknown: "unknown",
  on: "on",
  "on-for-some": "on for some",
  held: "held by a gate",
  scheduled: "scheduled",
  off: "off",
};

const stateText = ({ state, stale }: KnownFeature): string => `${stateTexts[state]}${stale ? " (stale)" : ""}`;

/** The line of a feature: its key, its state, the sources that have it on somewhere, and its description. */
const rowOf = (known: KnownFeature, roles: ReadonlyMap<string, ManagedSource["role"]>) => ({
  json: knownFeatureJson(known),
  cells: [
    known.feature,
    stateText(known),
    [...known.on].flatMap(([source, state]) => sourceText(source, roles.get(source), state)).join(", ") || "-",
    known.entry?.description ?? "",
  ],
});

/** For example `user (2 users)` or `active (gate)`; nothing if the feature is off there. */
function sourceText(source: string, role: ManagedSource["role"] | undefined, state: Presence): readonly string[] {
  if (!isSomewhere(state)) return [];
  const details = [...(role === "grant" || !role ? [] : [role]), ...(state === true ? [] : [presenceText(state)])];
  return [details.length > 0 ? `${source} (${details.join(", ")})` : source];
}

function isSomewhere(state: Presence): boolean {
  if (typeof state === "boolean") return state;
  if ("users" in state) return state.users !== 0;
  return "rule" in state || state.location.length > 0;
}

function presenceText(state: Presence): string {
  if (typeof state === "boolean") return state ? "on" : "off";
  if ("users" in state) return state.users === null ? "number of users unknown" : usersText(state.users);
  if ("rule" in state) return `rule ${JSON.stringify(state.rule)}`;
  return [...state.location, ...(state.complete ? [] : ["more"])].join(", ") || "no location";
}

const usersText = (count: number): string => `${count} ${count === 1 ? "user" : "users"}`;
