import { isPersonal } from "../../domain/admin/editable-set.ts";
import type { ManagedSource } from "../../domain/admin/managed-source.ts";
import { ChangeRejected, UnknownSource } from "../../domain/errors.ts";
import type { Instant, UserId } from "../../domain/evaluation/evaluation-context.ts";
import type { FeatureKey, Json } from "../../domain/evaluation/feature.ts";
import type { FeatureResolver } from "../../domain/evaluation/feature-resolver.ts";
import type { Resolution } from "../../domain/evaluation/source-result.ts";
import { type Audience, type Impact, impactOf } from "../../domain/features/audience.ts";
import type { Placement } from "../../domain/features/feature-state.ts";
import { absent, everyone, type Reach, reachOf } from "../../domain/features/reach.ts";
import type { SourceChange } from "../admin/change-set.ts";
import type { EditableSources } from "../admin/editable-sources.ts";
import { killSwitchOf } from "../admin/kill-switch.ts";
import { hasUsers, placementsOf, type SourceListing, sourceListings } from "./source-listing.ts";

/**
 * Changes that the impact of is known without a body. `on`, `off`: of the set of an ungated grant. `open`, `close`: of
 * the set of a gate.
 */
export const namedChanges = ["kill", "unkill", "on", "off", "open", "close"] as const;
export type NamedChange = (typeof namedChanges)[number];

/** How many of the users that have sets of their own gain and lose a feature by a rule. */
export type KnownUsers = { readonly gain: number; readonly lose: number; readonly of: number };

/** The effect of a change of one source on a feature. */
export type AssessedImpact = Impact & {
  /** The source that changes. */
  readonly source: string;
  /** Only of a rule, if the users can be listed. */
  readonly knownUsers?: KnownUsers;
  /** Only of a rule that is off until its next window: the users who gain the feature when it opens. */
  readonly opens?: { readonly at: Instant; readonly gains: Audience };
  /** Evaluations of the feature in the last hour; `null` if they are not counted. */
  readonly evaluationsLastHour: number | null;
};

/** The number of evaluations of each feature that was evaluated; `undefined` if they are not counted. */
export type EvaluationCounts = ReadonlyMap<FeatureKey, number> | undefined;

/** What an assessment reads: the sources, and the evaluations of the last hour. */
type Reading = readonly [listings: readonly SourceListing[], evaluations: EvaluationCounts];

/** Computes the users who gain and lose a feature by a change, before it is made. Reads only. */
export class AssessImpact {
  readonly #sources: EditableSources;
  readonly #now: () => Instant;
  readonly #evaluationsLastHour: (features: readonly FeatureKey[]) => Promise<EvaluationCounts>;
  #readOf = (feature: FeatureKey): Promise<Reading> => this.#read([feature]);

  constructor(
    sources: EditableSources,
    now: () => Instant,
    evaluationsLastHour: (features: readonly FeatureKey[]) => Promise<EvaluationCounts>,
  ) {
    this.#sources = sources;
    this.#now = now;
    this.#evaluationsLastHour = evaluationsLastHour;
  }

  /** Assesses many changes by one read of the sources, for these features only. */
  together(features: readonly FeatureKey[]): AssessImpact {
    const together = new AssessImpact(this.#sources, this.#now, this.#evaluationsLastHour);
    let reading: Promise<Reading> | undefined;
    together.#readOf = () => {
      reading ??= this.#read(features);
      return reading;
    };
    return together;
  }

  /**
   * The number of users that have a feature in their own set; `null` if it is not known, or if several sources have
   * such sets.
   */
  async userCount(feature: FeatureKey): Promise<number | null> {
    const [listings] = await this.#readOf(feature);
    const [first, ...others] = listings.filter(({ source }) => hasUsers(source));
    if (others.length > 0) return null;
    const presence = first ? first.presenceOf(feature) : { users: 0 };
    return typeof presence === "object" && "users" in presence ? presence.users : null;
  }

  /**
   * The impact of a named change. `source` names the set; without it, the first that fits. Throws `UnknownSource`, and
   * `ChangeRejected` if no source fits.
   */
  async ofNamed(feature: FeatureKey, change: NamedChange, source?: string): Promise<AssessedImpact> {
    const adds = change === "kill" || change === "on" || change === "open";
    return this.#of(feature, this.#sourceOf(change, source), () => (adds ? everyone : absent));
  }

  /** The impact of a change of a set. */
  async ofSet(feature: FeatureKey, { source, context = {}, add }: SourceChange): Promise<AssessedImpact> {
    const adds = add.includes(feature);
    const stored = this.#sources.setsOf(source);
    const has = async () => {
      const { key } = this.#sources.findSet({ source, context });
      return (await stored.sets.read(key, stored.limit)).value.features.includes(feature);
    };
    return this.#of(feature, source, async (before) => {
      if (stored.key.fields.length === 0) return adds ? everyone : absent;
      if (!isPersonal(stored)) return withLocation(before, context.location ?? "", adds);
      return (await has()) === adds ? before : withUsers(before, adds ? 1 : -1);
    });
  }

  /**
   * The impact of a rule of a feature; `undefined` removes it. The rule must be valid. Returns `undefined` for a
   * segment.
   */
  async ofRule(feature: FeatureKey, source: string, rule: Json | undefined): Promise<AssessedImpact | undefined> {
    const { trial, isFeature } = this.#sources.rulesOf(source);
    if (!isFeature(feature)) return undefined;
    const at = this.#now();
    const resolver = await trial(feature, rule);
    try {
      const isFixed = resolver.varyBy?.length === 0;
      const resolutionAt = async (instant: Instant) => (await resolver.resolve({ at: instant })).features.get(feature);
      const reachIn = (resolution: Resolution | undefined) => (resolution ? reachOf(resolution, isFixed) : absent);
      const resolution = await resolutionAt(at);
      const opensAt = Date.parse(String(resolution?.metadata?.["nextWindowStartsAt"]));
      const opening = Number.isNaN(opensAt) ? undefined : { at: opensAt, reach: reachIn(await resolutionAt(opensAt)) };
      const [impact, knownUsers] = await Promise.all([
        this.#of(feature, source, () => reachIn(resolution), opening),
        this.#knownUsers(feature, source, resolver, at),
      ]);
      return { ...impact, ...(knownUsers && { knownUsers }) };
    } finally {
      await resolver.dispose?.();
    }
  }

  async #of(
    feature: FeatureKey,
    name: string,
    reachAfter: (before: Reach) => Reach | Promise<Reach>,
    opening?: { readonly at: Instant; readonly reach: Reach },
  ): Promise<AssessedImpact> {
    const [listings, evaluations] = await this.#readOf(feature);
    const before = placementsOf(feature, listings);
    const after: Placement[] = [];
    for (const { source, reach } of before) {
      after.push({ source, reach: source.name === name ? await reachAfter(reach) : reach });
    }
    const opened =
      opening &&
      after.map((each) => (each.source.name === name ? { source: each.source, reach: opening.reach } : each));
    const opens = opened && { at: opening.at, gains: impactOf(after, opened).gains };
    const evaluationsLastHour = evaluations ? (evaluations.get(feature) ?? 0) : null;
    return { ...impactOf(before, after), source: name, evaluationsLastHour, ...(opens && { opens }) };
  }

  #read(features: readonly FeatureKey[]): Promise<Reading> {
    const listings = sourceListings(this.#sources.sources, features, this.#now());
    return Promise.all([listings, this.#evaluationsLastHour(features)]);
  }

  /** Evaluates the rule before and after for each user that has a set; `undefined` if they cannot be listed. */
  async #knownUsers(
    feature: FeatureKey,
    name: string,
    changed: FeatureResolver,
    at: Instant,
  ): Promise<KnownUsers | undefined> {
    const userIds = await this.#userIds();
    if (!userIds) return undefined;
    const { trial, rules, collection } = this.#sources.rulesOf(name);
    const present = await trial(feature, (await rules.read(collection)).value.get(feature));
    const isOn = async (resolver: FeatureResolver, userId: UserId) =>
      (await resolver.resolve({ userId, targetingKey: userId, at })).features.get(feature)?.on === true;
    let [gain, lose] = [0, 0];
    for (const userId of userIds) {
      const [was, is] = [await isOn(present, userId), await isOn(changed, userId)];
      if (is && !was) gain += 1;
      if (was && !is) lose += 1;
    }
    await present.dispose?.();
    return { gain, lose, of: userIds.size };
  }

  async #userIds(): Promise<ReadonlySet<UserId> | undefined> {
    const stored = this.#sources.sources.find(hasUsers)?.editableSet;
    const contents = await stored?.index.contents(stored.key.prefix).catch(() => undefined);
    return contents && new Set([...contents.sets.keys()].flatMap((key) => stored?.key.valuesIn(key)?.userId ?? []));
  }

  #sourceOf(change: NamedChange, name: string | undefined): string {
    if (change === "kill" || change === "unkill") return name ?? killSwitchOf(this.#sources);
    const role = change === "open" || change === "close" ? "gate" : "grant";
    const fits = ({ role: own, gatedBy, editableSet: stored }: ManagedSource) =>
      own === role && gatedBy.length === 0 && stored?.key.fields.length === 0;
    const found = this.#sources.sources.filter((source) => (name === undefined ? fits(source) : source.name === name));
    const [source] = found;
    if (source && fits(source)) return source.name;
    if (name !== undefined && !source) throw new UnknownSource();
    const needed = role === "gate" ? "a gate" : "a grant without gates";
    throw new ChangeRejected(
      name === undefined
        ? `No source is ${needed} over one set for everyone. Add one to the configuration.`
        : `Source "${name}" is not ${needed} over one set for everyone. Name another one.`,
      "not-changeable",
    );
  }
}

function withLocation(before: Reach, location: string, adds: boolean): Reach {
  const others = before.kind === "some" ? (before.locations ?? []).filter((each) => each !== location) : [];
  const locations = adds ? [...others, location] : others;
  return locations.length > 0 ? { kind: "some", locations } : absent;
}

function withUsers(before: Reach, more: number): Reach {
  if (before.kind === "some" && before.users === null) return before;
  const users = (before.kind === "some" ? (before.users ?? 0) : 0) + more;
  return users > 0 ? { kind: "some", users } : absent;
}
