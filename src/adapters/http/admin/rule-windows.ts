import { z } from "@hono/zod-openapi";
import type { ManageRules } from "../../../application/admin/manage-rules.ts";
import { defaultDays, type FindWindows, maxDays, maxWindows } from "../../../application/features/find-windows.ts";
import { ChangeRejected } from "../../../domain/errors.ts";
import { type Instant, instantText } from "../../../domain/evaluation/evaluation-context.ts";
import type { Json } from "../../../domain/evaluation/feature.ts";
import { instant } from "../../instant.ts";
import { instantJson } from "../../instant-json.ts";
import { jsonResponse } from "../routing/json-content.ts";
import type { OperatorRoutes } from "../routing/operator-routes.ts";
import {
  featureIn,
  innerFeatureParameter,
  readProblems,
  sourceIn,
  sourceParameter,
} from "../routing/path-parameters.ts";

const time = () => instant().openapi({ type: "string", format: "date-time" }).optional();
const timeText = z.iso.datetime();

const RequestBody = z
  .strictObject({
    from: time().describe("The begin (default: now)."),
    to: time().describe(`The end, excluded, at most ${maxDays} days later (default: ${defaultDays} days later).`),
    rule: (z.unknown() as z.ZodType<Json | undefined>)
      .optional()
      .describe("A rule to preview. Default: the stored rule."),
  })
  .openapi("WindowsRequest", { example: { from: "2026-11-16T00:00:00Z", to: "2026-11-23T00:00:00Z" } });

const WindowsBody = z
  .object({
    from: timeText,
    to: timeText.describe(`Earlier than requested if there are more than ${maxWindows} windows.`),
    on: z
      .array(z.object({ from: timeText, to: timeText.describe("Excluded.") }))
      .readonly()
      .describe("The windows in order, cut off at `from` and `to`. Adjoining windows are one."),
    nextChange: timeText.nullable().describe("The first change at `to` or later. Null if none is foreseeable."),
  })
  .openapi("Windows", {
    example: {
      from: "2026-11-16T00:00:00.000Z",
      to: "2026-11-23T00:00:00.000Z",
      on: [{ from: "2026-11-20T17:00:00.000Z", to: "2026-11-20T22:00:00.000Z" }],
      nextChange: "2026-11-27T17:00:00.000Z",
    },
  });

/** `POST /admin/v1/sources/{source}/rules/{feature}/windows`: when a rule has its feature on. */
export const ruleWindowsRoutes = (
  routes: OperatorRoutes,
  { manageRules, findWindows }: { readonly manageRules: ManageRules; readonly findWindows: FindWindows },
) =>
  routes.add(
    {
      method: "post",
      path: "/admin/v1/sources/{source}/rules/{feature}/windows",
      summary: "List the windows of a schedule",
      description:
        "Returns when the stored rule, or the rule in the body, has the feature on in the source. Other sources do not count. For rules that depend on the time alone. Changes nothing.",
      tags: ["Admin"],
      scope: "viewer",
      parameters: [sourceParameter, innerFeatureParameter],
      body: RequestBody,
      isBodyOptional: true,
      responses: { 200: jsonResponse("The windows.", WindowsBody) },
      problems: [...readProblems, "unknown-feature", "validation-failed", "invalid-feature-key"],
    },
    async (c, { body: { rule, ...input } }) => {
      const [source, feature] = [sourceIn(c), featureIn(c)];
      const span = findWindows.spanOf(input);
      const previewed = rule === undefined ? undefined : await atRule(() => manageRules.check(source, feature, rule));
      const { from, to, on, nextChange } = await findWindows.find(source, feature, span, previewed?.rule);
      const body = {
        ...spanJson({ from, to }),
        on: on.map(spanJson),
        nextChange: instantJson(nextChange),
      };
      return body satisfies z.output<typeof WindowsBody>;
    },
  );

const spanJson = ({ from, to }: { readonly from: Instant; readonly to: Instant }) => ({
  from: instantText(from),
  to: instantText(to),
});

/** Reports the faults of the rule at its place in the body. */
async function atRule<Result>(check: () => Promise<Result>): Promise<Result> {
  try {
    return await check();
  } catch (cause) {
    if (!(cause instanceof ChangeRejected) || !cause.faults) throw cause;
    const faults = cause.faults.map(({ pointer, detail }) => ({ pointer: `/rule${pointer}`, detail }));
    throw new ChangeRejected(cause.message, cause.code, faults);
  }
}
