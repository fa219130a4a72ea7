import { z } from "@hono/zod-openapi";
import type { EditableSources } from "../../../application/admin/editable-sources.ts";
import { killChange, killSwitchOf, unkillChange } from "../../../application/admin/kill-switch.ts";
import { changeProblems, DryRunQuery, rejectBody, safeguards } from "../routing/change-request.ts";
import { entityTagHeader, tagged } from "../routing/entity-tag.ts";
import { jsonResponse } from "../routing/json-content.ts";
import type { OperatorRoutes } from "../routing/operator-routes.ts";
import { featureIn, featureParameter } from "../routing/path-parameters.ts";
import { SetChangeBody, type SetUseCases, setChanges } from "./set-changes.ts";
import { SetBody, setJson } from "./sources.ts";

const KillQuery = DryRunQuery.extend({
  wait: z
    .enum(["true", "false"])
    .optional()
    .describe(
      "`true`: respond after every instance has confirmed the change, or after 1 s. After 1 s the unconfirmed instances mark their responses as stale.",
    ),
});

const Killed = SetChangeBody.extend({
  everywhere: z
    .boolean()
    .optional()
    .describe(
      "Whether every instance applies the change or marks its responses as stale. False without `wait`; absent in a dry run.",
    ),
  tookMs: z.int().optional().describe("Time until the confirmation, in milliseconds. Only with `wait`."),
  confirmed: z
    .int()
    .optional()
    .describe(
      "Only with `wait`: the number of connections of Tidegate processes that confirmed the change. Each process has at least one.",
    ),
  missing: z
    .int()
    .nullable()
    .optional()
    .describe(
      "Only with `wait`: the number of connections that did not confirm within 1 s. Null if their number is not known, as on SQLite, or if this process connected less than 1 s ago.",
    ),
}).openapi("Killed");

/** `/admin/v1/killed`: kills and unkills features for everyone. */
export function killSwitchRoutes(
  routes: OperatorRoutes,
  use: SetUseCases & { readonly editableSources: EditableSources },
) {
  const { editableSources: sources, changeSet } = use;
  const changes = setChanges(use);
  const list = routes.add(
    {
      method: "get",
      path: "/admin/v1/killed",
      summary: "List killed features",
      tags: ["Admin"],
      scope: "viewer",
      responses: { 200: jsonResponse("The killed features.", SetBody, entityTagHeader) },
      problems: ["no-kill-switch", "source-unavailable"],
    },
    async (c) => {
      const source = killSwitchOf(sources);
      const content = await changeSet.read({ source });
      return tagged(c, setJson(source, content), content.revision);
    },
  );

  const changed = (["put", "delete"] as const).map((method) =>
    routes.add(
      {
        method,
        path: "/admin/v1/killed/{feature}",
        summary: method === "put" ? "Kill a feature" : "Remove a kill",
        description:
          method === "put"
            ? "Switches the feature off for everyone, regardless of grants. Works without the event log and while Redis is out of memory. Idempotent."
            : "Restores the previous state of the feature. Idempotent.",
        tags: ["Admin"],
        scope: "editor",
        parameters: [featureParameter, ...safeguards],
        query: KillQuery,
        responses: { 200: jsonResponse("The change.", Killed, entityTagHeader) },
        problems: [...changeProblems, "no-kill-switch", "invalid-feature-key", "change-too-large", "revision-mismatch"],
      },
      async (c, { query }) => {
        await rejectBody(c);
        const feature = featureIn(c);
        const change = method === "put" ? killChange(sources, feature) : unkillChange(sources, feature);
        return changes.respond(c, change, { query, urgent: true }, async () => {
          if (query.wait !== "true") return { everywhere: false };
          const changedAt = performance.now();
          const { confirmed, missing = null } = await changeSet.confirm(change);
          return { everywhere: true, tookMs: Math.round(performance.now() - changedAt), confirmed, missing };
        });
      },
    ),
  );

  return [list, ...changed];
}
