import type { IncomingMessage } from "node:http";
import type { Context } from "hono";

/** Environment of each Fetch request: Node's request. */
export type CallEnvironment = { readonly incoming: IncomingMessage };

/** Node's request, with its headers and connection. */
export const incomingOf = (c: Context): IncomingMessage => (c.env as CallEnvironment).incoming;
