import type { RouteConfig, RouteConfigToTypedResponse, z } from "@hono/zod-openapi";
import type { Hono, ToSchema } from "hono";
import type { BlankEnv } from "hono/types";
import type { adminRoutes } from "./admin/admin.ts";
import type { features } from "./client/features.ts";
import type { eventExport } from "./events/event-export.ts";
import type { eventTail } from "./events/event-tail.ts";
import type { events } from "./events/events.ts";
import type { eventRoutes } from "./events/revert-event.ts";
import type { verifyEvents } from "./events/verify-events.ts";
import type { compare } from "./explain/compare.ts";
import type { diff } from "./explain/diff.ts";
import type { explain } from "./explain/explain.ts";
import type { explainSummary } from "./explain/summary.ts";
import type { TypedRoute } from "./kit/checked-route.ts";
import type { proxy } from "./operations/proxy.ts";
import type { sessionRoutes } from "./sessions/sessions.ts";
import type { reloadRoute } from "./system/reload.ts";
import type { systemRoutes } from "./system/system.ts";
import type { usageRoutes } from "./usage/usage.ts";

type Routes =
  | ReturnType<
      | typeof adminRoutes
      | typeof events
      | typeof eventRoutes
      | typeof sessionRoutes
      | typeof usageRoutes
      | typeof systemRoutes
    >[number]
  | ReturnType<
      | typeof features
      | typeof explain
      | typeof explainSummary
      | typeof compare
      | typeof diff
      | typeof eventExport
      | typeof eventTail
      | typeof verifyEvents
      | typeof proxy
      | typeof reloadRoute
    >;

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

type Intersection<Union> = (Union extends unknown ? (member: Union) => void : never) extends (all: infer All) => void
  ? All
  : never;

/**
 * The HTTP API as a type for Hono's client: `hc<Api>(url)` checks paths, queries, bodies and the response of each
 * status. It is derived from the definitions that validate requests and build the OpenAPI document. The client does not
 * encode path parameters; pass each through `encodeURIComponent`.
 */
export type Api = Hono<BlankEnv, Intersection<SchemaOf<Routes>>>;
