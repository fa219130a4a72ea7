import { bodyOf, events, taggedBodyOf, v1 } from "../../api/client.ts";
import { pathSegment } from "../../api/path-segment.ts";
import { hasStatus } from "../../api/problem.ts";
import type { Source } from "../../api/sources.ts";

/** A rule or a description at a revision. The value is `undefined` if there is none. */
export type Revised<Value> = { readonly value: Value | undefined; readonly tag: string };

/** One rule or description of a feature, as the API reads and writes it. */
export type FeatureDocument<Value> = {
  readonly feature: string;
  /** What the event log calls its kind. */
  readonly collection: string;
  readonly read: () => Promise<Revised<Value>>;
  /** Writes it if `tag` is still its revision, or removes it; returns the new tag. Rejects with 412 if it was changed. */
  readonly write: (value: Value | undefined, tag: string, note?: string) => Promise<string>;
};

/** The entity tag of what does not exist. */
const none = '"none.0"';
const orNone = <Value>(error: unknown): Revised<Value> => {
  if (hasStatus(error, 404)) return { value: undefined, tag: none };
  throw error;
};
const requiring = (tag: string) => ({ headers: { "If-Match": tag } });

/** The rule of a feature in a source. */
export function ruleDocument(source: Source, feature: string): FeatureDocument<unknown> {
  const route = v1.sources[":source"].rules[":feature"];
  const param = { source: pathSegment(source.name), feature: pathSegment(feature) };
  return {
    feature,
    collection: source.rules?.collection ?? "",
    read: () => taggedBodyOf(route.$get({ param })).then(({ body, tag }) => ({ value: body.rule, tag }), orNone),
    write: async (value, tag, note) => {
      const given = { param, query: note ? { note } : {} };
      const call =
        value === undefined
          ? taggedBodyOf(route.$delete(given, requiring(tag)))
          : taggedBodyOf(route.$put({ ...given, json: value as never }, requiring(tag)));
      return value === undefined ? call.then(() => none) : (await call).tag;
    },
  };
}

/** The description of a feature. */
export type Description = {
  readonly description: string;
  readonly owner: string;
  readonly tags: readonly string[];
  readonly archived: boolean;
};

export function descriptionDocument(feature: string): FeatureDocument<Description> {
  const route = v1.catalogue[":feature"];
  const param = { feature: pathSegment(feature) };
  return {
    feature,
    collection: "catalogue",
    read: () =>
      taggedBodyOf(route.$get({ param })).then(
        ({ body, tag }) => {
          const { description, owner, tags, archived } = body;
          return { value: { description, owner, tags, archived }, tag };
        },
        orNone<Description>,
      ),
    write: async (value, tag) => {
      if (value !== undefined) {
        const json = { ...value, tags: [...value.tags] };
        return (await taggedBodyOf(route.$put({ param, query: {}, json }, requiring(tag)))).tag;
      }
      await bodyOf(route.$delete({ param, query: {} }, requiring(tag)));
      return none;
    },
  };
}

/** The last change of a rule or description, if the event log has it. */
export async function lastChangeOf({ feature, collection }: Pick<FeatureDocument<unknown>, "feature" | "collection">) {
  const { events: found } = await bodyOf(events.$get({ query: { feature, type: "document", limit: "20" } }));
  return found.find(({ data }) => (Object(data) as { readonly collection?: unknown }).collection === collection);
}
