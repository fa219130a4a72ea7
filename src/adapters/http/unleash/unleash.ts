import type { OpenAPIHono } from "@hono/zod-openapi";
import { backendApi, type ReadUnleashDocument } from "./backend-api.ts";
import { type FrontendApiOptions, frontendApi } from "./frontend-api.ts";

/** The services behind Unleash's API, besides the evaluation. */
export type UnleashOptions = Pick<FrontendApiOptions, "identifyCaller" | "reports"> & {
  /** `undefined` if no document is passed on. */
  readonly readDocument: ReadUnleashDocument | undefined;
};

/** The routes for Unleash's SDKs. */
export function unleashRoutes(
  app: OpenAPIHono,
  options: Omit<FrontendApiOptions, keyof UnleashOptions> & {
    readonly now: () => number;
    readonly unleash: UnleashOptions;
  },
): void {
  const { readDocument } = options.unleash;
  app.openAPIRegistry.registerComponent("securitySchemes", "unleash", {
    type: "apiKey",
    in: "header",
    name: "Authorization",
    description: "A client token or an operator credential without a scheme, as Unleash's SDKs send it.",
  });
  frontendApi(app, { ...options, ...options.unleash });
  if (readDocument) backendApi(app, { ...options, ...options.unleash, readDocument });
}
