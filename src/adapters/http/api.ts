import type { RouteConfig, RouteConfigToTypedResponse, z } from "@hono/zod-openapi";
import type { Hono, ToSchema } from "hono";
import type { BlankEnv } from "hono/types";
import type { featuresRoutes } from "./client/features.ts";
import type { Intersection } from "./intersection.ts";
import type { operatorApi } from "./operator-api.ts";
import type { TypedRoute } from "./routing/checked-route.ts";

/** What the registration of an area returns: one route or several. */
type RoutesIn<Result> = Result extends readonly (infer Route)[] ? Route : Result;
type Routes = RoutesIn<ReturnType<(typeof operatorApi)[number]>> | ReturnType<typeof featuresRoutes>;

/** The path of a route in Hono's notation. */
type HonoPath<Path extends string> = Path extends `${infer Start}{${infer Name}}${infer Rest}`
  ? `${Start}:${Name}${HonoPath<Rest>}`
  : Path;

/** A part of the request; optional if none of its members is required. */
type Part<Name extends string, Given> = [Given] extends [undefined]
  ? Empty
  : Empty extends Given
    ? { [Key in Name]?: Given }
    : { [Key in Name]: Given };

// biome-ignore lint/complexity/noBannedTypes: an object without required members
type Empty = {};

type SchemaOf<Route> =
  Route extends TypedRoute<infer Method, infer Path, infer Query, infer Body, infer Responses>
    ? ToSchema<
        Method,
        HonoPath<Path>,
        { in: Part<"query", z.input<Query>> & Part<"json", z.input<Body>>; out: Empty },
        RouteConfigToTypedResponse<Omit<RouteConfig, "responses"> & { responses: Responses }>
      >
    : never;

/**
 * The HTTP API as a type for Hono's client: `hc<Api>(url)` checks paths, queries, bodies and the response of each
 * status. It is derived from the definitions that validate requests and build the OpenAPI document. The client does not
 * encode path parameters; pass each through `encodeURIComponent`.
 */
export type Api = Hono<BlankEnv, Intersection<SchemaOf<Routes>>>;
