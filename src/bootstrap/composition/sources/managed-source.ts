import { checkedResults } from "../../../adapters/sources/_catalogue/checked-results.ts";
import type { FeedHost } from "../../../adapters/sources/_catalogue/feed-definition.ts";
import type { SourceHost } from "../../../adapters/sources/_catalogue/source.ts";
import { ruleCheck, segmentPrefix } from "../../../adapters/sources/_rules/rule-check.ts";
import type { EditableRules } from "../../../domain/admin/editable-rules.ts";
import type { EditableSet } from "../../../domain/admin/editable-set.ts";
import type { ManagedSource } from "../../../domain/admin/managed-source.ts";
import { uncachedRead } from "../../../domain/evaluation/cached-read.ts";
import type { FeatureResolver } from "../../../domain/evaluation/feature-resolver.ts";
import type { FeatureSets } from "../../../domain/evaluation/feature-sets.ts";
import type { ConfiguredSource, EditableLocation } from "../../config/configured-source.ts";

/** The store of a source: the present one, or its state at a past instant. */
export type SourceStore = Pick<EditableSet, "sets" | "index" | "changes"> &
  Pick<EditableRules, "rules" | "documents"> & {
    /** The sets as the source reads them. */
    readonly cachedSets: FeatureSets;
  };

/** The services of a host that are not reads of a store. */
type Services = Omit<FeedHost, "name" | "readSet" | "readRules">;

/** The reads of a source without a feed. */
export const noFeed: FeedHost["readItems"] = () => undeclared("feed");

/** Creates a source over its store. */
export function managedSource(
  { create, editable, isOutside, isReplayable: _, feed: __, reads: ___, ...source }: ConfiguredSource,
  store: (connection: string) => SourceStore,
  services: Services,
): Omit<ManagedSource, "feed" | "faults"> {
  const { name } = source;
  const editableSet = setIn(editable, store);
  const editableRules = rulesIn(editable, store, (readRules) => {
    const silent = { ...services, report: () => {}, warn: () => {} };
    return create({ ...silent, name, readSet: () => undeclared("editable.set"), readRules });
  });
  const resolver = create({
    ...services,
    name,
    readSet: editableSet ? setReader(editableSet, store) : () => undeclared("editable.set"),
    readRules: editableRules
      ? () => editableRules.rules.read(editableRules.collection)
      : () => undeclared("editable.rules"),
  });
  return { ...source, resolver: isOutside ? checkedResults(resolver) : resolver, editableSet, editableRules };
}

function undeclared(part: string): never {
  throw new Error(`its definition declares no ${part}; add it`);
}

function setReader(
  { connection, limit }: EditableSet,
  store: (connection: string) => SourceStore,
): SourceHost["readSet"] {
  const { cachedSets } = store(connection);
  return (key) => cachedSets.read(key, limit);
}

function setIn(
  location: EditableLocation | undefined,
  store: (connection: string) => SourceStore,
): EditableSet | undefined {
  if (!location || !("key" in location)) return undefined;
  const { sets, index, changes } = store(location.connection);
  return { ...location, sets, index, changes };
}

function rulesIn(
  location: EditableLocation | undefined,
  store: (connection: string) => SourceStore,
  create: (readRules: SourceHost["readRules"]) => FeatureResolver,
): EditableRules | undefined {
  if (!location || !("schemas" in location)) return undefined;
  const { connection, collection, schemas } = location;
  const { rules, documents } = store(connection);
  const isFeature = (name: string) => !schemas.segment || !name.startsWith(segmentPrefix);
  return {
    ...{ connection, collection, rules, documents, isFeature },
    check: ruleCheck(schemas),
    trial: async (feature, rule) => {
      const { value } = await rules.read(collection);
      const some = new Map([...value].filter(([name]) => !isFeature(name)));
      if (rule !== undefined) some.set(feature, rule);
      const read = uncachedRead(some, 0);
      return create(() => read);
    },
  };
}
