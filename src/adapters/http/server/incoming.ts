import type { IncomingMessage, ServerResponse } from "node:http";
import type { Context } from "hono";

/** Environment of each Fetch request: Node's request and response. */
export type CallEnvironment = { readonly incoming: IncomingMessage; readonly outgoing: ServerResponse };

/** Node's request, with its headers and connection. */
export const incomingOf = (c: Context): IncomingMessage => (c.env as CallEnvironment).incoming;

/** Node's response. A route that writes to it responds past the response that it returns. */
export const outgoingOf = (c: Context): ServerResponse => (c.env as CallEnvironment).outgoing;
