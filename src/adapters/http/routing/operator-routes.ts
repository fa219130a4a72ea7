import type { OpenAPIHono, RouteConfig } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { z } from "zod";
import { withFix } from "../../../application/admin/call-store.ts";
import type { Scope } from "../../../domain/admin/credential.ts";
import { type ProblemResponses, problemResponses } from "../problems/problem-responses.ts";
import type { ProblemCode } from "../problems/problem-types.ts";
import { uncached } from "../response-headers.ts";
import type { Operators } from "../sessions/operators.ts";
import { type CheckedInput, type CheckedRoute, checkedRoute, type TypedRoute } from "./checked-route.ts";
import type { noQuery } from "./query.ts";

/** Problem codes of every route for operators. */
type BaseCode = "unauthenticated" | "invalid-query";

/** Definition of a route for operators: as of a checked route, with the scope that it requires. */
type OperatorRoute<
  Method extends RouteConfig["method"],
  Path extends string,
  Query extends z.ZodObject,
  Body extends z.ZodType,
  Responses extends RouteConfig["responses"],
  Code extends ProblemCode,
> = Omit<CheckedRoute<Method, Path, Query, Body, Responses>, "middleware" | "security"> & {
  readonly scope: Scope;
  /** Problem codes of the route, besides those of every route for operators. */
  readonly problems?: readonly Code[];
};

/** Registers the routes of an app that only operators may call. */
export class OperatorRoutes {
  readonly app: OpenAPIHono;
  readonly operators: Operators;

  constructor(app: OpenAPIHono, operators: Operators) {
    this.app = app;
    this.operators = operators;
  }

  /** As `checkedRoute`. A result that is no `Response` is the JSON body of a 200 that no cache may store. */
  add<
    Method extends RouteConfig["method"],
    Path extends string,
    Responses extends RouteConfig["responses"],
    Code extends ProblemCode = BaseCode,
    Query extends z.ZodObject = typeof noQuery,
    Body extends z.ZodType = z.ZodUndefined,
  >(
    route: OperatorRoute<Method, Path, Query, Body, Responses, Code>,
    handle: (c: Context, input: CheckedInput<Query, Body>) => object | Promise<object>,
  ): TypedRoute<Method, Path, Query, Body, Responses & ProblemResponses<Code | BaseCode>> {
    const { scope, problems = [], parameters, responses, ...others } = route;
    return checkedRoute(
      this.app,
      {
        ...others,
        ...this.operators.atLeast(scope),
        ...(parameters && { parameters }),
        responses: {
          ...responses,
          ...problemResponses<Code | BaseCode>("unauthenticated", "invalid-query", ...problems),
        },
      },
      async (c, input) => {
        const result = await Promise.try(handle, c, input).catch((error: unknown) => {
          throw withFix(error);
        });
        return result instanceof Response ? result : c.json(result, 200, uncached);
      },
    );
  }
}
