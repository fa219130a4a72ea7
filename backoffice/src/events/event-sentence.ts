import type { Source } from "../api/sources.ts";
import { counted, joined } from "../ui/numbers.ts";
import type { EventEntry } from "./event-entry.ts";
import type { Event } from "./event-queries.ts";
import { dataOf, type SourcesByName, sourceOf } from "./event-view.ts";

const maxNames = 2;

/** What else is known of a change. */
type Known = {
  /** The rule before it. */
  readonly before?: unknown;
  /** The feature whose page has the sentence: others are left out, and it is not named again. */
  readonly about?: string | undefined;
};

/** What an event changed, in a sentence. An event that is no known change has its message. */
export function sentenceOf(event: Event, sources: SourcesByName, known: Known = {}): string {
  const { type } = dataOf(event);
  const source = sourceOf(event, sources);
  const sentence =
    type === "set"
      ? setSentence(event, source, known)
      : type === "document"
        ? documentSentence(event, source, known)
        : type === "token"
          ? tokenSentence(event)
          : undefined;
  return sentence ?? event.message;
}

/** What the event of an entry, or the events of one bulk change, did, in a sentence. */
export function entrySentence({ first, events, before }: EventEntry, sources: SourcesByName, about?: string): string {
  const known = { before, about };
  if (events.length === 1) return sentenceOf(first, sources, known);
  const features = about === undefined ? [...new Set(events.flatMap((event) => event.features ?? []))] : [about];
  const made = events.filter((event) => verbsIn(event, about).length > 0);
  const users = new Set(made.flatMap(({ user }) => user ?? []));
  const verbs = new Set(made.flatMap((event) => verbsIn(event, about)));
  const [verb] = verbs;
  if (users.size === made.length && verbs.size === 1) {
    return said(features, `${verb} for ${counted(users.size, "user")}`, known);
  }
  const keys = new Set(events.map(({ key }) => key));
  if (keys.size === 1 && verbs.size === 1 && sourceOf(first, sources)) {
    return setPhrase(features, verb === "added", first, sourceOf(first, sources), known) ?? first.message;
  }
  return `${counted(events.length, "change")}${about === undefined ? ` of ${namesOf(features)}` : ""}`;
}

function setSentence(event: Event, source: Source | undefined, known: Known): string | undefined {
  const { added, removed } = membersOf(event, known.about);
  if (dataOf(event).origin === "change" && added.length + removed.length === 0) return unchangedSentence(event, source);
  const phrases = [
    ...(added.length > 0 ? [setPhrase(added, true, event, source, known)] : []),
    ...(removed.length > 0 ? [setPhrase(removed, false, event, source, known)] : []),
  ];
  const found = phrases.filter((phrase) => phrase !== undefined);
  return found.length > 0 && found.length === phrases.length ? joined(found) : undefined;
}

/** A change that was made already. Its event names no feature. */
function unchangedSentence({ user, location }: Event, source: Source | undefined): string | undefined {
  if (user !== undefined) return `for ${user}: nothing changed`;
  if (location !== undefined) return `for location ${location}: nothing changed`;
  return source && `in ${titleOf(source)}: nothing changed`;
}

function setPhrase(
  features: readonly string[],
  isAdded: boolean,
  { user, location }: Event,
  source: Source | undefined,
  known: Known,
): string | undefined {
  if (!source) return undefined;
  const { role, fields, gatedBy } = source;
  const title = source.label ?? source.name;
  if (role === "veto" && fields.length === 0) return said(features, isAdded ? "killed" : "no longer killed", known);
  if (role !== "grant") return said(features, `${isAdded ? "added to" : "removed from"} ${role} ${title}`, known);
  const change = said(features, isAdded ? "added" : "removed", known);
  if (user !== undefined) return `${change} for ${user}`;
  if (location !== undefined) return `${change} for location ${location}`;
  return fields.length === 0 && gatedBy.length === 0 ? `${change} for everyone` : `${change} in ${titleOf(source)}`;
}

function documentSentence(event: Event, source: Source | undefined, { before, about }: Known): string | undefined {
  const { collection, name = "", value } = dataOf(event);
  const isRemoved = value === null;
  const ofName = name === about ? "" : ` of ${name}`;
  if (collection === "catalogue")
    return `Description${ofName} ${isRemoved ? "removed" : before === null ? "added" : "changed"}`;
  if (collection === "credentials") {
    const { scope } = Object(value) as { readonly scope?: string };
    return `Credential ${name} ${isRemoved ? "removed" : `added${scope ? `, scope ${scope}` : ""}`}`;
  }
  if (!source) return undefined;
  const [was, percentage] = [percentageIn(before), percentageIn(value)];
  const rule = `${ruleNames[source.kind] ?? "Rule"}${ofName}`;
  if (isRemoved) return `${rule} removed`;
  if (percentage !== undefined) {
    return `${rule} ${was === undefined || was === percentage ? "set" : `${was} %`} to ${percentage} %`;
  }
  return `${rule} changed${ruleNames[source.kind] ? "" : ` in ${titleOf(source)}`}`;
}

const titleOf = ({ label, name }: Source): string => label ?? `source ${name}`;

const ruleNames: Readonly<Record<string, string>> = { percentage: "Share", schedule: "Schedule" };

function tokenSentence(event: Event): string {
  return capital(event.message.replace(` ${dataOf(event).tokenId ?? ""}`, "").replace("for user ", "for "));
}

/** The features that a set gained and lost; only one of them if it is given. */
function membersOf(event: Event, about: string | undefined) {
  const { added = [], removed = [] } = dataOf(event);
  const isMeant = (feature: string) => about === undefined || feature === about;
  return { added: added.filter(isMeant), removed: removed.filter(isMeant) };
}

function verbsIn(event: Event, about: string | undefined): readonly string[] {
  if (dataOf(event).type !== "set") return ["changed"];
  const { added, removed } = membersOf(event, about);
  return [...(added.length > 0 ? ["added"] : []), ...(removed.length > 0 ? ["removed"] : [])];
}

const percentageIn = (rule: unknown): unknown => (Object(rule) as { readonly percentage?: unknown }).percentage;

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const said = (features: readonly string[], change: string, { about }: Known): string =>
  features.length === 1 && features[0] === about ? capital(change) : `${namesOf(features)} ${change}`;

const namesOf = (features: readonly string[]): string =>
  features.length <= maxNames + 1
    ? joined(features)
    : `${features.slice(0, maxNames).join(", ")} and ${features.length - maxNames} more`;
