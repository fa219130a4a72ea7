import type { Log } from "../../../infrastructure/logger.ts";
import { requestId } from "../server/request-id.ts";
import type { TryServe } from "../server/server.ts";

/** A fast path that logs each request that it responds to, as `requestLog` does for the routes. */
export const loggedFastPath =
  (fastPath: TryServe, log: Log): TryServe =>
  (incoming, outgoing, next) => {
    const start = performance.now();
    const { method, url = "", headers } = incoming;
    const id = requestId(headers["x-request-id"]);
    const logged = () => {
      const ms = Number((performance.now() - start).toFixed(3));
      // The path of a request that a fast path takes is a route.
      const [route] = url.split("?", 1);
      log.info({ requestId: id, method, route, status: outgoing.statusCode, ms }, "request");
    };
    const passOn = () => {
      outgoing.off("finish", logged);
      outgoing.removeHeader("X-Request-Id");
    };
    // An error response has the same id.
    headers["x-request-id"] = id;
    outgoing.setHeader("X-Request-Id", id);
    outgoing.once("finish", logged);
    const isTaken = fastPath(incoming, outgoing, () => {
      passOn();
      next();
    });
    if (!isTaken) passOn();
    return isTaken;
  };
