import type { Command } from "commander";
import { killChange, unkillChange } from "../../../application/admin/kill-switch.ts";
import type { FeatureState, KnownFeature } from "../../../application/admin/list-features.ts";
import type { ManagedSource } from "../../../domain/admin/managed-source.ts";
import { knownFeatureJson } from "../../known-feature-json.ts";
import { instantIn } from "../arguments/instant-option.ts";
import { cliAuthor } from "../cli-actor.ts";
import type { CommandContext } from "../command-context.ts";
import { withJson, withJsonLines } from "../json-help.ts";

const pageSize = 1_000;

/** `tidegate features`: lists, shows, kills and unkills features. */
export function defineFeatures(command: Command, { onStores, results, terminal }: CommandContext): void {
  const known = { feature: "feature_3", on: { active: true, user: { users: 1 } }, killed: false, catalogue: null };
  withJsonLines(command.command("list"), known)
    .description("print all known features and where they are on, one per line")
    .option("--search <TEXT>", "only with this text in the key, description, owner or a tag, in any case")
    .option("--at <TIME>", "at this time (RFC 3339), such as 2026-11-17T09:00:00Z (default: now)")
    .action(({ search = "", at }: { search?: string; at?: string }) =>
      onStores(async ({ listFeatures, sourceSets }) => {
        const instant = instantIn(at);
        const roles = new Map(sourceSets.sources.map((source) => [source.name, source.role]));
        const rows = [];
        for (let after: string | undefined, more = true; more; ) {
          const page = await listFeatures.list(pageSize, search, after, instant);
          rows.push(...page.features.map((each) => rowOf(each, roles)));
          ({ more } = page);
          after = page.features.at(-1)?.feature;
        }
        results.printRows(undefined, rows);
      }),
    );
  withJson(command.command("show"), known)
    .description("print where a feature is on, and its description")
    .argument("<feature>")
    .action((feature: string) =>
      onStores(async ({ listFeatures, sourceSets }) => {
        const found = await listFeatures.get(feature);
        const { on, entry } = found;
        const states = sourceSets.sources.flatMap(({ name, role }) => {
          const state = on.get(name);
          return state === undefined ? [] : [`  ${role} ${name}: ${stateText(state)}`];
        });
        const described = entry
          ? Object.entries({
              description: entry.description,
              owner: entry.owner,
              tags: entry.tags.join(", "),
              archived: entry.archived ? "yes" : "",
            }).flatMap(([name, text]) => (text === "" ? [] : [`  ${name}: ${text}`]))
          : [];
        results.print(knownFeatureJson(found), found.killed ? `${feature}: killed` : feature, ...states, ...described);
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
        onStores(async ({ changeSet, sourceSets }) => {
          const change = (isKilled ? killChange : unkillChange)(sourceSets, feature);
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

/** The line of a feature: its key, the sources that have it on somewhere, and its description. */
const rowOf = (known: KnownFeature, roles: ReadonlyMap<string, ManagedSource["role"]>) => ({
  json: knownFeatureJson(known),
  cells: [
    known.feature,
    [...known.on].flatMap(([source, state]) => sourceText(source, roles.get(source), state)).join(", ") || "-",
    known.entry?.description ?? "",
  ],
});

/** For example `user (2 users)` or `active (gate)`; nothing if the feature is off there. */
function sourceText(source: string, role: ManagedSource["role"] | undefined, state: FeatureState): readonly string[] {
  if (!isSomewhere(state)) return [];
  const details = [...(role === "grant" || !role ? [] : [role]), ...(state === true ? [] : [stateText(state)])];
  return [details.length > 0 ? `${source} (${details.join(", ")})` : source];
}

function isSomewhere(state: FeatureState): boolean {
  if (typeof state === "boolean") return state;
  if ("users" in state) return state.users !== 0;
  return "rule" in state || state.location.length > 0;
}

function stateText(state: FeatureState): string {
  if (typeof state === "boolean") return state ? "on" : "off";
  if ("users" in state) return state.users === null ? "number of users unknown" : usersText(state.users);
  if ("rule" in state) return `rule ${JSON.stringify(state.rule)}`;
  return [...state.location, ...(state.complete ? [] : ["more"])].join(", ") || "no location";
}

const usersText = (count: number): string => `${count} ${count === 1 ? "user" : "users"}`;
