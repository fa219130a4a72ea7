import { z } from "@hono/zod-openapi";
import type { ReloadConfig } from "../../../application/system/reload-config.ts";
import { HttpProblem } from "../problems/http-problem.ts";
import { rejectBody } from "../routing/change-request.ts";
import { jsonResponse } from "../routing/json-content.ts";
import type { OperatorRoutes } from "../routing/operator-routes.ts";

const names = z.array(z.string()).readonly();

const ReloadBody = z
  .object({
    dryRun: z.boolean(),
    changes: z.object({
      sections: names.describe("The changed sections of the file, besides `sources`."),
      sources: z.object({
        added: names,
        removed: names,
        changed: names,
        reordered: z.boolean().describe("Whether other sources are in another order."),
      }),
    }),
  })
  .openapi("Reload", {
    example: {
      dryRun: false,
      changes: { sections: ["server"], sources: { added: ["offers"], removed: [], changed: [], reordered: false } },
    },
  });

/** `POST /admin/v1/config/reload`: reads the configuration file again, as SIGHUP does. */
export const reloadRoutes = (routes: OperatorRoutes, { reloadConfig }: { readonly reloadConfig: ReloadConfig }) =>
  routes.add(
    {
      method: "post",
      path: "/admin/v1/config/reload",
      summary: "Reload the configuration",
      description:
        "Reads the configuration file again, and serves it in all workers once its stores and sources are ready, as SIGHUP does. No request is lost. An invalid file is rejected with its problems, and the previous configuration stays active. Only this instance reloads.",
      tags: ["Operation"],
      scope: "admin",
      query: z.strictObject({
        dryRun: z
          .enum(["true", "false"])
          .optional()
          .describe("`true`: validates the file and returns what would change. Connects to no store."),
      }),
      responses: { 200: jsonResponse("What changed. Variables are not compared.", ReloadBody) },
      problems: ["invalid-json", "unsupported-media-type", "validation-failed", "configuration-rejected"],
    },
    async (c, { query }) => {
      await rejectBody(c);
      const dryRun = query.dryRun === "true";
      const result = await reloadConfig(dryRun);
      if ("changes" in result) return { dryRun, changes: result.changes };
      const errors = result.problems.map((detail) => ({ pointer: "", detail }));
      throw new HttpProblem(
        "configuration-rejected",
        "The configuration file has problems, so the previous configuration stays active. Fix what `errors` lists.",
        {},
        errors,
      );
    },
  );
