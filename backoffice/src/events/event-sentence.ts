import type { Source } from "../api/sources.ts";
import { counted, joined } from "../ui/numbers.ts";
import type { Event } from "./event-queries.ts";
import { dataOf, type SourcesByName, sourceOf } from "./event-view.ts";

const maxNames = 2;

/** What an event changed, in a sentence. An event that is no known change has its message. */
export function sentenceOf(event: Event, sources: SourcesByName): string {
  const { type } = dataOf(event);
  const source = sourceOf(event, sources);
  const sentence =
    type === "set"
      ? setSentence(event, source)
      : type === "document"
        ? documentSentence(event, source)
        : type === "token"
          ? tokenSentence(event)
          : undefined;
  return sentence ?? event.message;
}

/** What the events of one bulk change did, in a sentence. */
export function bulkSentence(events: readonly Event[], sources: SourcesByName): string {
  const [first] = events;
  if (!first || events.length === 1) return first ? sentenceOf(first, sources) : "";
  const features = [...new Set(events.flatMap((event) => event.features ?? []))];
  const users = new Set(events.flatMap(({ user }) => user ?? []));
  const verbs = new Set(events.flatMap((event) => verbsIn(event)));
  const [verb] = verbs;
  if (users.size === events.length && verbs.size === 1) {
    return `${namesOf(features)} ${verb} for ${counted(users.size, "user")}`;
  }
  const keys = new Set(events.map(({ key }) => key));
  if (keys.size === 1 && verbs.size === 1 && sourceOf(first, sources)) {
    return setPhrase(features, verb === "added", first, sourceOf(first, sources)) ?? first.message;
  }
  return `${counted(events.length, "change")} of ${namesOf(features)}`;
}

function setSentence(event: Event, source: Source | undefined): string | undefined {
  const { added = [], removed = [] } = dataOf(event);
  const phrases = [
    ...(added.length > 0 ? [setPhrase(added, true, event, source)] : []),
    ...(removed.length > 0 ? [setPhrase(removed, false, event, source)] : []),
  ];
  const known = phrases.filter((phrase) => phrase !== undefined);
  return known.length > 0 && known.length === phrases.length ? joined(known) : undefined;
}

function setPhrase(
  features: readonly string[],
  isAdded: boolean,
  { user, location }: Event,
  source: Source | undefined,
): string | undefined {
  if (!source) return undefined;
  const names = namesOf(features);
  const { role, fields, gatedBy } = source;
  const title = source.label ?? source.name;
  if (role === "veto" && fields.length === 0) return `${names} ${isAdded ? "killed" : "no longer killed"}`;
  if (role !== "grant") return `${names} ${isAdded ? "added to" : "removed from"} ${role} ${title}`;
  const change = `${names} ${isAdded ? "added" : "removed"}`;
  if (user !== undefined) return `${change} for ${user}`;
  if (location !== undefined) return `${change} for location ${location}`;
  return fields.length === 0 && gatedBy.length === 0 ? `${change} for everyone` : `${change} in ${title}`;
}

function documentSentence(event: Event, source: Source | undefined): string | undefined {
  const { collection, name = "", value } = dataOf(event);
  const isRemoved = value === null;
  if (collection === "catalogue") return `Description of ${name} ${isRemoved ? "removed" : "changed"}`;
  if (collection === "credentials") {
    const { scope } = Object(value) as { readonly scope?: string };
    return `Credential ${name} ${isRemoved ? "removed" : `added${scope ? `, scope ${scope}` : ""}`}`;
  }
  if (!source) return undefined;
  const { percentage } = Object(value) as { readonly percentage?: unknown };
  const rule = ruleNames[source.kind] ?? "Rule";
  if (isRemoved) return `${rule} of ${name} removed`;
  if (percentage !== undefined) return `${rule} of ${name} set to ${percentage} %`;
  return `${rule} of ${name} changed${ruleNames[source.kind] ? "" : ` in ${source.label ?? source.name}`}`;
}

const ruleNames: Readonly<Record<string, string>> = { percentage: "Share", schedule: "Schedule" };

function tokenSentence(event: Event): string {
  const text = event.message.replace(` ${dataOf(event).tokenId ?? ""}`, "").replace("for user ", "for ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function verbsIn(event: Event): readonly string[] {
  const { added = [], removed = [], type } = dataOf(event);
  if (type !== "set") return ["changed"];
  return [...(added.length > 0 ? ["added"] : []), ...(removed.length > 0 ? ["removed"] : [])];
}

const namesOf = (features: readonly string[]): string =>
  features.length <= maxNames + 1
    ? joined(features)
    : `${features.slice(0, maxNames).join(", ")} and ${features.length - maxNames} more`;
