import { z } from "@hono/zod-openapi";
import { explicitContext } from "../../../application/evaluation/identify-caller.ts";
import type { CompareTimes, Difference } from "../../../application/explain/compare-times.ts";
import { instant } from "../../instant.ts";
import { instantJson } from "../../instant-json.ts";
import { featureChangeJson } from "../../known-feature-json.ts";
import { HttpProblem } from "../problems/http-problem.ts";
import { jsonResponse } from "../routing/json-content.ts";
import type { OperatorRoutes } from "../routing/operator-routes.ts";
import { changeFields } from "./explanation-body.ts";

const moment = instant().openapi({ type: "string", format: "date-time", example: "2026-11-17T09:00:00Z" });
const time = z.iso.datetime();
const keys = z.array(z.string()).readonly();

const Query = z.strictObject({
  from: moment,
  to: moment.openapi({ example: "2026-11-18T09:00:00Z" }),
  user: z.string().optional().openapi({ description: "User id. Default: an anonymous client.", example: "1" }),
  location: z.string().optional(),
});

const Answer = z
  .object({
    configuration: z.literal("current").describe("Both evaluations use the current configuration."),
    turnedOn: keys,
    turnedOff: keys,
    undetermined: keys.describe("Features whose state depends on missing history."),
    incomplete: z.array(z.string()).describe("The sources in `missingHistory`."),
    missingHistory: z
      .array(z.object({ source: z.string(), from: time.nullable() }))
      .describe("The sources without history at `from` or `to`, and the start of their history."),
    events: z
      .array(
        z.object({
          ...changeFields,
          connection: z.string(),
          key: z.string(),
          added: keys,
          removed: keys,
          changed: keys.describe("The feature whose rule the event changed; `key` is then `collection/feature`."),
        }),
      )
      .describe(
        "The changes behind the difference, oldest first, with the features that differ. A feature that a schedule switches has none.",
      ),
  })
  .openapi("Difference", {
    example: {
      configuration: "current",
      turnedOn: [],
      turnedOff: ["feature_1"],
      undetermined: [],
      incomplete: [],
      missingHistory: [],
      events: [
        {
          event: "0193a5e2-9f00-7000-8000-000000000001",
          at: "2026-11-17T17:12:09.120Z",
          by: "anna",
          note: "crashes on old phones",
          origin: "change",
          connection: "features",
          key: "active_features",
          added: [],
          removed: ["feature_1"],
          changed: [],
        },
      ],
    },
  });

/** `GET /admin/v1/diff`: compares a user's features at two instants and lists the changes between them. */
export function diffRoutes(routes: OperatorRoutes, { compareTimes }: { readonly compareTimes: CompareTimes }) {
  return routes.add(
    {
      method: "get",
      path: "/admin/v1/diff",
      summary: "Compare the features of a user at two times",
      tags: ["Explanations"],
      scope: "viewer",
      query: Query,
      responses: { 200: jsonResponse("The difference and its causes.", Answer) },
      problems: ["invalid-context", "source-unavailable", "log-unavailable"],
    },
    async (_, { query: { from, to, user, location } }) => {
      if (to <= from)
        throw new HttpProblem("invalid-query", 'The query parameter "to" is not after "from". Swap them.');
      const caller = user === undefined ? undefined : { userId: user };
      const difference = await compareTimes(caller, explicitContext({ location }), from, to);
      return differenceJson(difference) satisfies z.output<typeof Answer>;
    },
  );
}

const differenceJson = ({ turnedOn, turnedOff, undetermined, missingHistory, changes }: Difference) => ({
  configuration: "current" as const,
  turnedOn,
  turnedOff,
  undetermined,
  incomplete: missingHistory.map(({ name }) => name),
  missingHistory: missingHistory.map(({ name, from }) => ({
    source: name,
    from: instantJson(from),
  })),
  events: changes.map(({ store, key, added, removed, changed, ...change }) => ({
    ...featureChangeJson(change),
    ...{ connection: store, key, added, removed, changed },
  })),
});
