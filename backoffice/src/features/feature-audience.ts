import type { Audience } from "./audience.ts";

/** Where one source has a feature: whether it lists it, for how many users, for which locations, or by which rule. */
export type SourceEntry =
  | boolean
  | { readonly users: number | null }
  | { readonly location: readonly string[] }
  | { readonly rule?: unknown; readonly on: boolean };

type Feature = { readonly on: Readonly<Record<string, SourceEntry>> };
type Source = {
  readonly name: string;
  readonly kind: string;
  readonly role: "grant" | "gate" | "veto";
  readonly gatedBy: readonly string[];
  readonly default: "allow" | "deny" | null;
  readonly key: string | null;
};

/** Whether a source has the feature, for anybody. */
export function isOn(entry: SourceEntry): boolean {
  if (typeof entry === "boolean") return entry;
  if ("users" in entry) return entry.users === null || entry.users > 0;
  if ("location" in entry) return entry.location.length > 0;
  return true;
}

/** The percentage of a rule, if it has one. */
export function shareOf(entry: SourceEntry | undefined): number | undefined {
  if (typeof entry !== "object" || !("rule" in entry)) return undefined;
  const { percentage } = Object(entry.rule) as { readonly percentage?: unknown };
  return typeof percentage === "number" ? percentage : undefined;
}

/** Whether a closed gate holds what a grant has. */
export const isHeld = ({ on }: Feature, { gatedBy }: Source, gates: readonly Source[]): boolean =>
  gates.some((gate) => gatedBy.includes(gate.name) && isClosed(gate, on[gate.name]));

function isClosed(gate: Source, entry: SourceEntry | undefined): boolean {
  // A gate with sets that has no entry is unavailable, and not known to be closed.
  if (entry === undefined) return gate.key === null && gate.default !== "allow";
  const isListed = gate.key === null || isOn(entry);
  return isListed ? !isOnNow(gate, entry) : gate.default !== "allow";
}

/** As `isOn`, but not before the window of a schedule. */
const isOnNow = ({ kind }: Source, entry: SourceEntry): boolean =>
  typeof entry === "object" && "rule" in entry && (kind === "schedule" || shareOf(entry) === 0)
    ? entry.on
    : isOn(entry);

/**
 * Whom a feature is on for now but for its kill, from where each source has it: for many features at once. `gates`:
 * those that hold grants while they are closed; all by default.
 */
export function audienceOf({ on }: Feature, sources: readonly Source[], gates: readonly Source[] = sources): Audience {
  let [everyone, users] = [false, 0 as number | null];
  const [locations, shares, rules] = [new Set<string>(), [] as Audience["shares"][number][], [] as string[]];
  for (const source of sources) {
    const { name, role, key, gatedBy } = source;
    const entry = on[name];
    if (role !== "grant" || entry === undefined || !isOnNow(source, entry) || isHeld({ on }, source, gates)) continue;
    const percentage = shareOf(entry);
    if (entry === true && key !== null && gatedBy.length === 0) everyone = true;
    else if (typeof entry === "object" && "users" in entry)
      users = entry.users === null || users === null ? null : users + entry.users;
    else if (typeof entry === "object" && "location" in entry) for (const each of entry.location) locations.add(each);
    else if (percentage !== undefined) shares.push({ source: name, percentage });
    else rules.push(name);
  }
  return { everyone, users, locations: [...locations], shares, rules };
}
