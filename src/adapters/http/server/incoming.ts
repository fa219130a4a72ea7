import type { IncomingMessage } from "node:http";
import type { Context } from "hono";

/** What every call is given beside its request. */
export type CallEnvironment = { readonly incoming: IncomingMessage };

/** The call as Node's HTTP server has it: its headers, and the connection that it came over. */
export const incomingOf = (c: Context): IncomingMessage => (c.env as CallEnvironment).incoming;
