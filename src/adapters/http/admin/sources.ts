import { z } from "@hono/zod-openapi";
import type { SetContent } from "../../../application/admin/change-set.ts";
import type { EditableSources } from "../../../application/admin/editable-sources.ts";
import type { ManagedSource } from "../../../domain/admin/managed-source.ts";
import { type KeyValues, keyFields } from "../../../domain/evaluation/key-template.ts";
import { roles } from "../../../domain/evaluation/source.ts";
import { HttpProblem } from "../problems/http-problem.ts";
import { DryRunQuery, rejectBody, revisedProblems, safeguards } from "../routing/change-request.ts";
import { entityTagHeader, revisionJson, tagged } from "../routing/entity-tag.ts";
import { jsonResponse } from "../routing/json-content.ts";
import type { OperatorRoutes } from "../routing/operator-routes.ts";
import { featureIn, featureParameter, readProblems, sourceIn, sourceParameter } from "../routing/path-parameters.ts";
import { SetChangeBody, type SetUseCases, setChanges } from "./set-changes.ts";

const SourceBody = z
  .object({
    name: z.string(),
    label: z.string().nullable().describe("The display name in the configuration. Null without one."),
    kind: z.string(),
    role: z.enum(roles),
    gatedBy: z.array(z.string()).readonly(),
    default: z
      .enum(["allow", "deny"])
      .nullable()
      .describe("Of a gate: its result for features that it does not list. Null for other roles."),
    changeable: z.boolean().describe("Whether the source has sets that can be changed here."),
    key: z.string().nullable().describe("The key template of its sets. Null without sets."),
    fields: z.array(z.enum(keyFields)).readonly().describe("The query parameters that select one of its sets."),
    rules: z
      .object({ connection: z.string(), collection: z.string() })
      .nullable()
      .describe("The place of its rules. Null without rules."),
    faults: z
      .array(z.string())
      .readonly()
      .describe(
        "The faults of its data: an unusable document, and features that are off because they are invalid. At most 20, and the number of others.",
      ),
  })
  .openapi("Source", {
    example: {
      name: "user",
      label: null,
      kind: "set",
      role: "grant",
      gatedBy: ["active"],
      default: null,
      changeable: true,
      key: "features:user:{userId}",
      fields: ["userId"],
      rules: null,
      faults: [],
    },
  });

const contextValue = (description: string, example: string) => z.string().optional().openapi({ description, example });

/** Selects one set of a source: exactly the context fields in its key. */
const ContextQuery = z.strictObject({
  userId: contextValue("The user id, for a source with one set per user.", "1"),
  location: contextValue("The location, for a source with one set per location.", "madrid"),
});
const ChangeMemberQuery = DryRunQuery.extend(ContextQuery.shape);

/** The members of a set. */
export const SetBody = z
  .object({
    source: z.string(),
    key: z.string(),
    features: z.array(z.string()).readonly(),
    invalidMembers: z.int().describe("Number of members that are not feature keys. They are omitted."),
    revision: z.string().describe("`none.0` if no change was recorded yet."),
  })
  .openapi("Set", {
    example: {
      source: "user",
      key: "features:user:1",
      features: ["feature_3", "feature_4"],
      invalidMembers: 0,
      revision: "019aa5c1-8c1e-7f3a-9d43-5a1f6f0c2b11.7",
    },
  });

export const setJson = (source: string, { key, features, invalidMembers, revision }: SetContent) => ({
  source,
  key,
  features,
  invalidMembers,
  revision: revisionJson(revision),
});

/** `/admin/v1/sources`: lists the configured sources, and reads and changes their sets. */
export function sourceRoutes(routes: OperatorRoutes, use: SetUseCases & { readonly editableSources: EditableSources }) {
  const { editableSources, changeSet } = use;
  const changes = setChanges(use);
  const list = routes.add(
    {
      method: "get",
      path: "/admin/v1/sources",
      summary: "List sources",
      tags: ["Admin"],
      scope: "viewer",
      responses: {
        200: jsonResponse(
          "The sources, in the order of the configuration.",
          z.object({ sources: z.array(SourceBody) }),
        ),
      },
    },
    () => ({ sources: editableSources.sources.map(sourceJson) }),
  );

  const listMembers = routes.add(
    {
      method: "get",
      path: "/admin/v1/sources/{source}/features",
      summary: "List the features in a set",
      description: "Reads the store, not the cache.",
      tags: ["Admin"],
      scope: "viewer",
      parameters: [sourceParameter],
      query: ContextQuery,
      responses: { 200: jsonResponse("The set.", SetBody, entityTagHeader) },
      problems: [...readProblems, "validation-failed"],
    },
    async (c, { query }) => {
      const source = sourceIn(c);
      const content = await changeSet.read({ source, context: contextFor(editableSources, source, query) });
      return tagged(c, setJson(source, content), content.revision);
    },
  );

  const viewMember = routes.add(
    {
      method: "get",
      path: "/admin/v1/sources/{source}/features/{feature}",
      summary: "Check whether a set contains a feature",
      tags: ["Admin"],
      scope: "viewer",
      parameters: [sourceParameter, featureParameter],
      query: ContextQuery,
      responses: {
        200: jsonResponse(
          "The state of the feature in the set.",
          z.object({ source: z.string(), key: z.string(), feature: z.string(), on: z.boolean() }),
          entityTagHeader,
        ),
      },
      problems: [...readProblems, "validation-failed"],
    },
    async (c, { query }) => {
      const [source, feature] = [sourceIn(c), featureIn(c)];
      const { key, features, revision } = await changeSet.read({
        source,
        context: contextFor(editableSources, source, query),
      });
      return tagged(c, { source, key, feature, on: features.includes(feature) }, revision);
    },
  );

  const changeMember = (["put", "delete"] as const).map((method) => {
    const isAdded = method === "put";
    return routes.add(
      {
        method,
        path: "/admin/v1/sources/{source}/features/{feature}",
        summary: isAdded ? "Add a feature to a set" : "Remove a feature from a set",
        description: "Idempotent.",
        tags: ["Admin"],
        scope: "editor",
        parameters: [sourceParameter, featureParameter, ...safeguards],
        query: ChangeMemberQuery,
        responses: { 200: jsonResponse("The change.", SetChangeBody, entityTagHeader) },
        problems: [...revisedProblems, "unknown-source", "invalid-feature-key", "change-too-large"],
      },
      async (c, { query }) => {
        await rejectBody(c);
        const source = sourceIn(c);
        const features = [featureIn(c)];
        const change = {
          source,
          context: contextFor(editableSources, source, query),
          add: isAdded ? features : [],
          remove: isAdded ? [] : features,
        };
        return changes.respond(c, change, { query });
      },
    );
  });

  return [list, listMembers, viewMember, ...changeMember];
}

/** The context fields in the source's key. Throws `HttpProblem` `invalid-query` for a missing or an extra field. */
function contextFor(sources: EditableSources, source: string, query: KeyValues): KeyValues {
  const { fields } = sources.setsOf(source).key;
  for (const field of keyFields) {
    const isNeeded = fields.includes(field);
    if (isNeeded === (query[field] !== undefined)) continue;
    throw new HttpProblem(
      "invalid-query",
      isNeeded
        ? `Source "${source}" has one set per ${field}. Send the query parameter "${field}".`
        : `The sets of source "${source}" do not depend on the ${field}. Omit the query parameter "${field}".`,
    );
  }
  return Object.fromEntries(fields.map((field) => [field, query[field]]));
}

const sourceJson = ({
  name,
  label,
  kind,
  role,
  gatedBy,
  default: unlisted,
  editableSet: stored,
  editableRules: rules,
  faults,
}: ManagedSource) => ({
  name,
  label: label ?? null,
  kind,
  role,
  gatedBy,
  default: role === "gate" ? unlisted : null,
  changeable: stored !== undefined,
  key: stored?.key.text ?? null,
  fields: stored?.key.fields ?? [],
  rules: rules ? { connection: rules.connection, collection: rules.collection } : null,
  faults: faults(),
});
